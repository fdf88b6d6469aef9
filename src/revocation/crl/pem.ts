/** Extracts the DER of one CRL from DER or PEM (RFC 7468 §6); decodes in place, since a CRL can be large. */
import { trimEnd } from '../../pki/der-cursor.ts';
import { describeFile } from '../../pki/file-kind.ts';
import { CrlRefusal } from './refusal.ts';

const begin = '-----BEGIN X509 CRL-----';
const end = '-----END X509 CRL-----';

/** A view of the CRL's DER; PEM is overwritten with it. Throws CrlRefusal `unreadable`. */
export function derOf(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  // Text before a PEM block may begin with the digit 0, which is 0x30 as well.
  const from = bytes[0] === 0x30 && !isText(bytes) ? -1 : text.indexOf(begin);
  if (from < 0 && bytes[0] === 0x30) return trimEnd(bytes);
  if (from < 0) {
    const content = describeFile(bytes);
    throw unreadable(
      `neither DER nor PEM with an X509 CRL block${content === null ? '' : `, but ${content}`}`,
    );
  }
  const to = text.indexOf(end, from);
  if (to < 0) throw unreadable('a PEM block without an END line');
  if (text.indexOf(begin, to) >= 0)
    throw unreadable('more than one PEM block: each CRL needs a file of its own');
  return decode(bytes.subarray(from + begin.length, to));
}

/** Whether the second byte is ASCII: the length in DER is not, since every CRL is longer than 127 octets. */
function isText(bytes: Uint8Array): boolean {
  return (bytes[1] ?? 0x80) < 0x80;
}

/** Octet → its six bits; 64: white space, 65: padding, 66: not Base64. */
const digits = new Uint8Array(256).fill(66);
for (const [value, digit] of [
  ...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/',
].entries())
  digits[digit.charCodeAt(0)] = value;
for (const space of ' \t\r\n') digits[space.charCodeAt(0)] = 64;
digits['='.charCodeAt(0)] = 65;

/** In place: the write position never passes the read position. */
function decode(base64: Uint8Array): Uint8Array {
  let written = 0;
  let bits = 0;
  let collected = 0;
  let padding = 0;
  for (let at = 0; at < base64.length; at++) {
    const digit = digits[base64[at] as number] as number;
    if (digit === 64) continue;
    if (digit === 65) padding++;
    else if (digit === 66 || padding > 0) throw unreadable('a PEM block that is not Base64');
    bits = (bits << 6) | (digit & 0x3f);
    if (++collected < 4) continue;
    base64[written++] = bits >>> 16;
    base64[written++] = bits >>> 8;
    base64[written++] = bits;
    bits = 0;
    collected = 0;
  }
  if (collected > 0 || padding > 2) throw unreadable('a PEM block that is not Base64');
  return base64.subarray(0, written - padding);
}

function unreadable(detail: string): CrlRefusal {
  return new CrlRefusal('unreadable', detail);
}
