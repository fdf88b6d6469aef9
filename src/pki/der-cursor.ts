/**
 * A cursor over DER (X.690 §8.1, §10.1) that reads one element after the other in place, without copies. Two forms of BER
 * are accepted, since they are unambiguous, OpenSSL accepts them and CAs write them: lengths in more octets than
 * necessary, and any non-zero TRUE. Signatures are verified over the original bytes.
 */

import { parseAnyTime, utcTime } from './der-time.ts';

/** The bytes are not DER, or not the expected structure; the message has the position where there is one. */
export class DerError extends Error {}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

export class DerCursor {
  readonly bytes: Uint8Array;
  /** Where the next element starts. */
  at: number;
  /** The last element read: its tag, and where its contents start and end. */
  tag = 0;
  start = 0;
  end = 0;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Reads the header of the next element and moves to its contents. Throws DerError, as all read methods do. */
  open(limit: number, tag?: number): void {
    this.read(limit, tag);
    this.at = this.start;
  }

  /** The same for an element that must end at `limit`. */
  openLast(limit: number, tag?: number): void {
    this.open(limit, tag);
    if (this.end !== limit) throw new DerError(`bytes after an element, at byte ${this.end}`);
  }

  /** Reads the next element, which must end at `limit` or before, and moves past it. */
  read(limit: number, tag?: number): void {
    const { bytes } = this;
    let at = this.at;
    if (at + 2 > limit) throw this.#error('cut off');
    const found = bytes[at++] as number;
    if (tag !== undefined && found !== tag)
      throw this.#error(`tag 0x${hexByte(found)} instead of 0x${hexByte(tag)}`);
    if ((found & 0x1f) === 0x1f) throw this.#error('a tag of several octets');
    let length = bytes[at++] as number;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0 || octets > 4) throw this.#error('a length that is indefinite or beyond 4 GiB');
      if (at + octets > limit) throw this.#error('cut off');
      length = 0;
      for (let octet = 0; octet < octets; octet++) length = length * 256 + (bytes[at++] as number);
    }
    if (at + length > limit)
      throw this.#error(
        'an element that ends after its container or after the end of the data (the data may be cut off)',
      );
    this.tag = found;
    this.start = at;
    this.end = at + length;
    this.at = this.end;
  }

  /** Reads the next element and returns it with its header, as a view. */
  element(limit: number, tag?: number): Uint8Array {
    const { at } = this;
    this.read(limit, tag);
    return this.bytes.subarray(at, this.at);
  }

  /** The tag of the next element, or -1 at `limit`. */
  peek(limit: number): number {
    return this.at < limit ? (this.bytes[this.at] as number) : -1;
  }

  /** Throws unless everything up to `end` was read. */
  close(end: number): void {
    if (this.at !== end) throw this.#error('an unexpected element');
  }

  /** The contents of the last element read, as a view. */
  contents(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  /** An INTEGER of any length, which must be in its shortest form (X.690 §8.3.2). */
  readInteger(limit: number): void {
    this.read(limit, tags.integer);
    const [first = 0, second = 0] = [this.bytes[this.start], this.bytes[this.start + 1]];
    if (this.end === this.start) throw this.#error('an empty INTEGER');
    if (this.end - this.start > 1 && (first === 0 ? second < 0x80 : first === 0xff && second >= 0x80))
      throw this.#error('an INTEGER that is not minimal');
  }

  /** UTCTime or GeneralizedTime in the form of RFC 5280 §4.1.2.5, in milliseconds since the epoch. */
  readTime(limit: number): number {
    this.read(limit);
    const time = this.#strictTime();
    if (Number.isNaN(time)) throw this.#error('no valid time in UTC');
    return time;
  }

  /** The same, also in the other forms of X.680 §46 (no seconds, fractions, a zone). NaN: not a valid time. */
  readAnyTime(limit: number): number {
    this.read(limit);
    const time = this.#strictTime();
    const isTime = this.tag === tags.utcTime || this.tag === tags.generalizedTime;
    return Number.isNaN(time) && isTime ? parseAnyTime(this.contents(), this.tag === tags.utcTime) : time;
  }

  /** NaN: not a valid time in the form of RFC 5280. */
  #strictTime(): number {
    const century = this.tag === tags.utcTime ? 0 : this.tag === tags.generalizedTime ? 2 : -1;
    if (century < 0 || this.end - this.start !== 13 + century) return Number.NaN;
    const field = (at: number): number => {
      const tens = (this.bytes[this.start + at] as number) - 0x30;
      const ones = (this.bytes[this.start + at + 1] as number) - 0x30;
      return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
    };
    const short = field(century);
    const year = century > 0 ? field(0) * 100 + short : short + (short < 50 ? 2000 : 1900);
    const [month, day, hour] = [field(century + 2), field(century + 4), field(century + 6)];
    const [minute, second] = [field(century + 8), field(century + 10)];
    if (this.bytes[this.end - 1] !== 0x5a) return Number.NaN;
    return utcTime(year, month, day, hour, minute, second);
  }

  /** A BOOLEAN; every value except 0 is TRUE (X.690 §8.2.2). */
  readBoolean(limit: number, tag: number = tags.boolean): boolean {
    this.read(limit, tag);
    if (this.end - this.start !== 1) throw this.#error('not a BOOLEAN');
    return this.bytes[this.start] !== 0;
  }

  /** A BIT STRING with named bits, as a mask: named bit 0 is the lowest bit. Bits above 30 are ignored. */
  readNamedBits(limit: number, tag: number = tags.bitString): number {
    this.read(limit, tag);
    const [unused = 8, ...octets] = this.bytes.subarray(this.start, Math.min(this.end, this.start + 5));
    if (unused > 7 || (octets.length === 0 && unused > 0)) throw this.#error('not a BIT STRING');
    let mask = 0;
    for (const [index, octet] of octets.entries())
      for (let bit = 0; bit < 8; bit++)
        if ((octet & (0x80 >> bit)) !== 0 && index * 8 + bit <= 30) mask |= 1 << (index * 8 + bit);
    return mask;
  }

  #error(what: string): DerError {
    return new DerError(`${what}, at byte ${this.at}`);
  }
}

/** A cursor at the contents of the one SEQUENCE that `der` consists of. Throws DerError. */
export function openSequence(der: Uint8Array): DerCursor {
  const cursor = new DerCursor(der);
  cursor.openLast(der.length, tags.sequence);
  return cursor;
}

const whiteSpace: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0d, 0x20]);

/** The one element of a file or body, without up to 16 octets of white space that an editor or server appended. */
export function trimEnd(bytes: Uint8Array): Uint8Array {
  const cursor = new DerCursor(bytes);
  cursor.read(bytes.length);
  const isBlank = bytes.subarray(cursor.end, cursor.end + 16).every((octet) => whiteSpace.has(octet));
  return isBlank && bytes.length - cursor.end <= 16 ? bytes.subarray(0, cursor.end) : bytes;
}

/** Encodes one element. */
export function derElement(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  const length = body.length;
  if (length < 0x80) return Buffer.concat([Buffer.of(tag, length), body]);
  const octets = Math.ceil(Math.log2(length + 1) / 8);
  const header = Buffer.alloc(2 + octets);
  header[0] = tag;
  header[1] = 0x80 | octets;
  header.writeUIntBE(length, 2, octets);
  return Buffer.concat([header, body]);
}

/** The contents of an OBJECT IDENTIFIER as dotted numbers; exact for arcs below 2^53, limited to 64 octets. */
export function formatOid(contents: Uint8Array): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const octet of contents.subarray(0, 64)) {
    arc = arc * 128 + (octet & 0x7f);
    if (octet >= 0x80) continue;
    if (arcs.length === 0)
      arcs.push(Math.min(2, Math.floor(arc / 40)), arc - 40 * Math.min(2, Math.floor(arc / 40)));
    else arcs.push(arc);
    arc = 0;
  }
  return arcs.join('.');
}

function hexByte(value: number): string {
  return value.toString(16).padStart(2, '0');
}
