/** Certificate files: PEM with CERTIFICATE blocks only (RFC 7468 §5), or one DER certificate. */
import { type Certificate, parseCertificate, unreadable } from './certificate.ts';
import { describeContent, describeLabel } from './file-kind.ts';

/**
 * Every certificate of a file, in its order.
 * Throws GatewayError `CERTIFICATE_UNREADABLE` that names the block at fault and its line, and never repeats what is in
 * it: a private key put here by mistake must not end up in a log.
 */
export function readCertificates(bytes: Uint8Array): Certificate[] {
  if (bytes[0] === 0x30) return [readDer(bytes)];
  return blocksOf(bytes).map(readBlock);
}

function readBlock(block: Block): Certificate {
  const der = decode(block);
  try {
    return parseCertificate(der);
  } catch (cause) {
    throw at(block.number, block.line, cause instanceof Error ? cause.message : String(cause));
  }
}

function readDer(bytes: Uint8Array): Certificate {
  try {
    return parseCertificate(bytes);
  } catch (cause) {
    const content = describeContent(bytes);
    if (content === null) throw cause;
    throw unreadable(`not a DER certificate${suffix(content)}`);
  }
}

/** Each is an event of its own: a server that serves something else must not fill the audit. */
const mostFaults = 10;

export interface CertificateBundle {
  readonly certificates: readonly Certificate[];
  /** What is wrong with each certificate that cannot be read, by its block and line: never what is in it. */
  readonly unreadable: readonly string[];
}

/**
 * The same for a bundle whose certificates stand for themselves: one that cannot be read costs none of the others.
 * Throws as `readCertificates` does for what is no bundle of certificates, and where none of them can be read.
 */
export function readBundle(bytes: Uint8Array): CertificateBundle {
  if (bytes[0] === 0x30) return { certificates: [readDer(bytes)], unreadable: [] };
  const certificates: Certificate[] = [];
  const faults: string[] = [];
  for (const block of blocksOf(bytes)) {
    try {
      certificates.push(readBlock(block));
    } catch (cause) {
      faults.push(cause instanceof Error ? cause.message : String(cause));
    }
  }
  const told = faults.slice(0, mostFaults);
  const rest = faults.length - told.length;
  if (rest > 0) told.push(`${rest} more PEM blocks cannot be read`);
  if (certificates.length === 0) throw unreadable(told.join('; '));
  return { certificates, unreadable: told };
}

/** Throws where there is none. */
function blocksOf(bytes: Uint8Array): Block[] {
  const blocks = readBlocks(Buffer.from(bytes).toString('latin1'));
  if (blocks.length > 0) return blocks;
  const content = suffix(describeContent(bytes));
  throw unreadable(`neither a DER certificate nor PEM with a CERTIFICATE block${content}`);
}

function suffix(content: string | null): string {
  return content === null ? '' : `, but ${content}`;
}

/** A byte order mark (U+FEFF in UTF-8), read as latin1. */
const bom = '\xef\xbb\xbf';

const boundary = /^-----(BEGIN|END) ([A-Z0-9 ]{1,40})-----\s*$/;
/** A line of dashes and nothing else, as people draw between the certificates of a bundle. */
const rule = /^-+\s*$/;

interface Block {
  /** The lines between its boundaries. */
  readonly body: readonly string[];
  /** From 1. */
  readonly number: number;
  /** Of its BEGIN, from 1. */
  readonly line: number;
}

/** Text outside of the blocks is explanation (RFC 7468 §2) and passed over. */
function readBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  let open: { readonly line: number; readonly body: string[] } | null = null;
  for (const [index, written] of text.split('\n').entries()) {
    const line = index + 1;
    const number = blocks.length + 1;
    if (line > 1 && written.startsWith(bom))
      throw at(number, line, 'a byte order mark (BOM) inside the file: save each part as UTF-8 without it');
    const content = line === 1 && written.startsWith(bom) ? written.slice(bom.length) : written;
    if (!content.startsWith('-----')) {
      open?.body.push(content.trim());
      continue;
    }
    if (open === null && rule.test(content)) continue;
    const [, edge, label] = boundary.exec(content) ?? [];
    if (edge === undefined || label === undefined) throw at(number, line, brokenBoundary(content));
    if (label !== 'CERTIFICATE')
      throw at(number, line, `is ${describeLabel(label)}; only certificates are allowed`);
    if ((edge === 'BEGIN') === (open !== null))
      throw at(number, open?.line ?? line, `has no ${open ? 'end' : 'begin'}`);
    if (open === null) {
      open = { line, body: [] };
    } else {
      blocks.push({ ...open, number });
      open = null;
    }
  }
  if (open !== null) throw at(blocks.length + 1, open.line, 'has no end');
  return blocks;
}

function at(number: number, line: number, message: string): Error {
  return unreadable(`PEM block ${number} (line ${line}) ${message}`);
}

function brokenBoundary(line: string): string {
  const has = 'has a broken boundary line';
  if (line.includes('\\n')) return `${has}: \\n is written out instead of a line break`;
  if (line.includes('\r-----') || /\r[^\s]/.test(line)) return `${has}: its lines end with CR alone`;
  if (/-----(?:BEGIN|END) .*-----.*-----(?:BEGIN|END) /.test(line))
    return `${has}: a line break is missing between END and BEGIN`;
  if (/^-----(?:begin|end) /i.test(line) && /[a-z]/.test(line)) return `${has}: labels are upper case`;
  return has;
}

/** Node's decoder skips what is not Base64, so the decoded bytes must give the same text again. */
function decode({ body, number, line }: Block): Buffer {
  if (body.some((each) => /^[\w-]+: /.test(each)))
    throw at(number, line, 'is not Base64: it has header fields (RFC 1421)');
  const base64 = body.join('');
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== base64) throw at(number, line, 'is not Base64');
  return bytes;
}
