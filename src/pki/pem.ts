/** Certificate files: PEM with CERTIFICATE blocks only (RFC 7468 §5), or one DER certificate. */
import { type Certificate, parseCertificate, unreadable } from './certificate.ts';

/**
 * Every certificate of a file, in its order.
 * Throws GatewayError `CERTIFICATE_UNREADABLE` that names the block at fault and never repeats what is in it:
 * a private key put here by mistake must not end up in a log.
 */
export function readCertificates(bytes: Uint8Array): Certificate[] {
  if (bytes[0] === 0x30) return [parseCertificate(bytes)];
  return readBlocks(Buffer.from(bytes).toString('latin1')).map(parseCertificate);
}

export interface CertificateBundle {
  readonly certificates: readonly Certificate[];
  /** What is wrong with each certificate that cannot be read, by its place: never what is in it. */
  readonly unreadable: readonly string[];
}

/**
 * The same for a bundle whose certificates stand for themselves: one that cannot be read costs none of the others.
 * Throws as `readCertificates` does for what is no bundle of certificates, and where none of them can be read.
 */
export function readBundle(bytes: Uint8Array): CertificateBundle {
  if (bytes[0] === 0x30) return { certificates: [parseCertificate(bytes)], unreadable: [] };
  const certificates: Certificate[] = [];
  const faults: string[] = [];
  for (const [index, block] of readBlocks(Buffer.from(bytes).toString('latin1')).entries()) {
    try {
      certificates.push(parseCertificate(block));
    } catch (cause) {
      const found = cause instanceof Error ? cause.message : String(cause);
      faults.push(`certificate ${index + 1}: ${found}`);
    }
  }
  if (certificates.length === 0) throw unreadable(faults.join('; '));
  return { certificates, unreadable: faults };
}

const boundary = /^-----(BEGIN|END) ([A-Z0-9 ]{1,40})-----\s*$/;

/** Text outside of the blocks is explanation (RFC 7468 §2) and passed over. */
function readBlocks(text: string): Buffer[] {
  const blocks: Buffer[] = [];
  let body: string[] | null = null;
  for (const line of text.replace(/^\xef\xbb\xbf/, '').split('\n')) {
    if (!line.startsWith('-----')) {
      body?.push(line.trim());
      continue;
    }
    const number = blocks.length + 1;
    const [, edge, label] = boundary.exec(line) ?? [];
    if (edge === undefined) throw unreadable(`PEM block ${number} has a broken boundary line`);
    if (label !== 'CERTIFICATE') {
      throw unreadable(`PEM block ${number} is ${article(label)}; only certificates are allowed`);
    }
    if ((edge === 'BEGIN') === (body !== null))
      throw unreadable(`PEM block ${number} has no ${body ? 'end' : 'begin'}`);
    if (body === null) {
      body = [];
    } else {
      blocks.push(decode(body.join(''), number));
      body = null;
    }
  }
  if (body !== null) throw unreadable(`PEM block ${blocks.length + 1} has no end`);
  if (blocks.length === 0) throw unreadable('neither a DER certificate nor PEM with a CERTIFICATE block');
  return blocks;
}

/** Node's decoder skips what is not Base64, so the decoded bytes must give the same text again. */
function decode(base64: string, number: number): Buffer {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length === 0 || bytes.toString('base64') !== base64) {
    throw unreadable(`PEM block ${number} is not Base64`);
  }
  return bytes;
}

function article(label: string | undefined): string {
  return label === undefined ? 'unnamed' : `labelled ${label}`;
}
