/** Serial numbers: their maximum length, the hex form for reports, and the octets that a CRL search compares. */

/**
 * Maximum octets of a serial number, in a certificate and in a CRL entry: a longer entry matches no certificate that is
 * accepted. RFC 5280 §4.1.2.2 allows 20; older CAs used more.
 */
export const MAX_SERIAL_OCTETS = 64;

/** Lower hex, without leading zero octets. */
export function serialHex(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    .toString('hex')
    .replace(/^(00)+(?=..)/, '');
}

/** Where the number starts in the contents of an INTEGER, after redundant sign octets (X.690 §8.3.2). */
export function serialStart(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end - 1 && isRedundant(bytes[at] as number, bytes[at + 1] as number)) at++;
  return at;
}

function isRedundant(octet: number, next: number): boolean {
  return octet === 0 ? next < 0x80 : octet === 0xff && next >= 0x80;
}
