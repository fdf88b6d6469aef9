/** Serial numbers: how long they may be, and the two forms in which they are compared and told. */

/**
 * Octets of a serial number, of a certificate as well as of an entry of a CRL: an entry that is longer speaks of no
 * certificate that could come in. RFC 5280 §4.1.2.2 wants at most 20; CAs of former days used more.
 */
export const MAX_SERIAL_OCTETS = 64;

/** Lower hex, without leading zero octets. */
export function serialHex(octets: Uint8Array): string {
  return Buffer.from(octets.buffer, octets.byteOffset, octets.length)
    .toString('hex')
    .replace(/^(00)+(?=..)/, '');
}

/** Where the number begins in an INTEGER's contents: what stands before is sign that X.690 §8.3.2 leaves away. */
export function serialStart(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end - 1 && isRedundant(bytes[at] as number, bytes[at + 1] as number)) at++;
  return at;
}

function isRedundant(octet: number, next: number): boolean {
  return octet === 0 ? next < 0x80 : octet === 0xff && next >= 0x80;
}
