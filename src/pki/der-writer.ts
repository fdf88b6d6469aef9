/** Encodes the elements of certificates, CRLs and extensions in DER. */
import { derElement, tags } from './der-cursor.ts';

export interface RawExtension {
  readonly oid: string;
  readonly critical?: boolean;
  /** DER. */
  readonly value: Uint8Array;
}

export function derSequence(...contents: readonly Uint8Array[]): Buffer {
  return derElement(tags.sequence, ...contents);
}

/** `value`: 0 or more. */
export function derInteger(value: number | bigint): Buffer {
  const hex = BigInt(value).toString(16);
  const octets = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return derElement(tags.integer, ...((octets[0] as number) >= 0x80 ? [Buffer.of(0)] : []), octets);
}

/** `oid`: dotted numbers. */
export function derOid(oid: string): Buffer {
  const [first = 0, second = 0, ...rest] = oid.split('.').map(Number);
  const arcs = [first * 40 + second, ...rest].flatMap((arc) => {
    const septets = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      septets.unshift((left & 0x7f) | 0x80);
    return septets;
  });
  return derElement(tags.oid, Buffer.from(arcs));
}

/** `at`: milliseconds since the epoch. UTCTime through 2049, GeneralizedTime after (RFC 5280 §5.1.2.4). */
export function derTime(at: number): Buffer {
  const text = `${new Date(at).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  const year = Number(text.slice(0, 4));
  return year >= 1950 && year < 2050
    ? derElement(tags.utcTime, Buffer.from(text.slice(2)))
    : derElement(tags.generalizedTime, Buffer.from(text));
}

/** Extensions (RFC 5280 §4.1) in the given order, unchecked. */
export function derExtensions(extensions: readonly RawExtension[]): Buffer {
  return derElement(
    tags.sequence,
    ...extensions.map(({ oid, critical = false, value }) =>
      derElement(
        tags.sequence,
        derOid(oid),
        critical ? derElement(tags.boolean, Buffer.of(0xff)) : Buffer.alloc(0),
        derElement(tags.octetString, value),
      ),
    ),
  );
}
