/** Certificate files: PEM with CERTIFICATE blocks only (RFC 7468 §5), or one DER certificate. */
import { type Certificate, parseCertificate, unreadable } from './certificate.ts';
import { describeContent, describeLabel } from './file-kind.ts';

/**
 * All certificates of a file, in its order. Throws GatewayError `CERTIFICATE_UNREADABLE`, which names the faulty block and
 * its line but never its content: a private key in the wrong file must not be logged.
 */
export function readCertificates(bytes: Uint8Array): Certificate[] {
  if (bytes[0] === 0x30) return [readDer(bytes)];
  return blocksOf(bytes).map(readBlock);
}

/** One CERTIFICATE block. */
export function toPem(der: Uint8Array): string {
  return toPemBlock(der, 'CERTIFICATE');
}

/** One block with lines of 64 characters (RFC 7468 §2). */
export function toPemBlock(der: Uint8Array, label: string): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
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

/** Each fault becomes an event; a server that serves something else must not flood the audit. */
const maxFaults = 10;

export interface CertificateBundle {
  readonly certificates: readonly Certificate[];
  /** Why each unreadable certificate cannot be read, with its block and line but never its content. */
  readonly unreadable: readonly string[];
}

/**
 * The same for a bundle of independent certificates: unreadable ones are reported, the others returned. Throws like
 * `readCertificates` if the file is no bundle of certificates, or if none of them can be read.
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
  const reported = faults.slice(0, maxFaults);
  const rest = faults.length - reported.length;
  if (rest > 0) reported.push(`${rest} more PEM blocks cannot be read`);
  if (certificates.length === 0) throw unreadable(reported.join('; '));
  return { certificates, unreadable: reported };
}

/** Throws if there is none. */
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
/** A separator line of dashes between the certificates of a bundle. */
const rule = /^-+\s*$/;

interface Block {
  /** The lines between BEGIN and END. */
  readonly body: readonly string[];
  /** Counted from 1. */
  readonly number: number;
  /** Of its BEGIN, counted from 1. */
  readonly line: number;
}

/** Text outside the blocks is explanatory text (RFC 7468 §2) and ignored. */
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

/** Node's decoder ignores invalid characters, so that the decoded bytes must encode to the same text again. */
function decode({ body, number, line }: Block): Buffer {
  if (body.some((each) => /^[\w-]+: /.test(each)))
    throw at(number, line, 'is not Base64: it has header fields (RFC 1421)');
  const base64 = body.join('');
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== base64) throw at(number, line, 'is not Base64');
  return bytes;
}
