/**
 * A cursor over DER (X.690 §8.1, §10.1): one element after the other, in place; nothing is copied or built. BER is read
 * where it can mean one thing only, since OpenSSL reads it and CAs write it: lengths in more octets than they need, any
 * TRUE. Signatures are checked over the bytes as they came.
 */

/** The bytes are not DER, or not the structure they should be; the message says where. */
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
  /** Where the next element begins. */
  at: number;
  /** The element read last: its tag, and where its contents start and end. */
  tag = 0;
  start = 0;
  end = 0;

  constructor(bytes: Uint8Array, at = 0) {
    this.bytes = bytes;
    this.at = at;
  }

  /** Reads the header of the next element and goes on inside of it. Throws DerError; so do all of these. */
  open(limit: number, tag?: number): void {
    this.read(limit, tag);
    this.at = this.start;
  }

  /** The same, of an element that nothing follows. */
  openLast(limit: number, tag?: number): void {
    this.open(limit, tag);
    if (this.end !== limit) throw new DerError(`bytes behind an element, at byte ${this.end}`);
  }

  /** Reads the next element, which ends by `limit`, and goes on behind it. */
  read(limit: number, tag?: number): void {
    const { bytes } = this;
    let at = this.at;
    if (at + 2 > limit) throw this.#error('cut off');
    const found = bytes[at++] as number;
    if (tag !== undefined && found !== tag)
      throw this.#error(`tag 0x${hexByte(found)} where 0x${hexByte(tag)} belongs`);
    if ((found & 0x1f) === 0x1f) throw this.#error('a tag of several octets');
    let length = bytes[at++] as number;
    if (length >= 0x80) {
      const octets = length & 0x7f;
      if (octets === 0 || octets > 4) throw this.#error('a length that is indefinite or beyond 4 GiB');
      if (at + octets > limit) throw this.#error('cut off');
      length = 0;
      for (let octet = 0; octet < octets; octet++) length = length * 256 + (bytes[at++] as number);
    }
    if (at + length > limit) throw this.#error('an element that ends behind what holds it');
    this.tag = found;
    this.start = at;
    this.end = at + length;
    this.at = this.end;
  }

  /** Reads the next element and returns it whole, as a view. */
  element(limit: number, tag?: number): Uint8Array {
    const { at } = this;
    this.read(limit, tag);
    return this.bytes.subarray(at, this.at);
  }

  /** The tag of the next element, or -1 at `limit`. */
  peek(limit: number): number {
    return this.at < limit ? (this.bytes[this.at] as number) : -1;
  }

  /** What was opened must have been read to its end. */
  close(end: number): void {
    if (this.at !== end) throw this.#error('an element that nobody asked for');
  }

  /** The contents of the element read last, as a view. */
  contents(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }

  /** An INTEGER of any length in its shortest form (X.690 §8.3.2). */
  readInteger(limit: number): void {
    this.read(limit, tags.integer);
    const [first = 0, second = 0] = [this.bytes[this.start], this.bytes[this.start + 1]];
    if (this.end === this.start) throw this.#error('an empty INTEGER');
    if (this.end - this.start > 1 && (first === 0 ? second < 0x80 : first === 0xff && second >= 0x80))
      throw this.#error('an INTEGER that is not minimal');
  }

  /** UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 writes them, in milliseconds since the epoch. */
  readTime(limit: number): number {
    this.read(limit);
    const time = this.#strictTime();
    if (Number.isNaN(time)) throw this.#error('no time in UTC');
    return time;
  }

  /** As X.690 §11.7 and X.680 §46 allow them, too: without seconds, with fractions, off UTC. NaN: no time. */
  readAnyTime(limit: number): number {
    this.read(limit);
    const time = this.#strictTime();
    return Number.isNaN(time) ? parseAnyTime(this.tag, this.contents()) : time;
  }

  /** NaN: no time in the one form of RFC 5280. */
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

  /** A BOOLEAN; every value but 0 is TRUE (X.690 §8.2.2). */
  readBoolean(limit: number, tag: number = tags.boolean): boolean {
    this.read(limit, tag);
    if (this.end - this.start !== 1) throw this.#error('no BOOLEAN');
    return this.bytes[this.start] !== 0;
  }

  /** A BIT STRING of names for bits, as a mask: bit 0, the first of them, is the lowest. Bits above 30 are dropped. */
  readNamedBits(limit: number, tag: number = tags.bitString): number {
    this.read(limit, tag);
    const [unused = 8, ...octets] = this.bytes.subarray(this.start, Math.min(this.end, this.start + 5));
    if (unused > 7 || (octets.length === 0 && unused > 0)) throw this.#error('no BIT STRING');
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

/** Milliseconds since the epoch; NaN: there is no such moment. */
function utcTime(
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
): number {
  const inRange = month >= 1 && month <= 12 && day >= 1 && hour <= 23 && minute <= 59 && second <= 59;
  // A 31 June would be read as 1 July, a year below 100 as one of the last century.
  if (!inRange || !(day <= daysIn(year, month))) return Number.NaN;
  const time = Date.UTC(year, month - 1, day, hour, minute, second);
  return year >= 100 ? time : new Date(time).setUTCFullYear(year);
}

const anyUtcTime = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(Z|[+-]\d{4})$/;
const anyGeneralizedTime = /^(\d{4})(\d\d)(\d\d)(\d\d)(?:(\d\d)(?:(\d\d)(?:[.,]\d+)?)?)?(Z|[+-]\d{4})$/;

/** Fractions of a second are dropped: nothing here is that precise. */
function parseAnyTime(tag: number, contents: Uint8Array): number {
  if (contents.length > 40) return Number.NaN;
  const isUtcTime = tag === tags.utcTime;
  if (!isUtcTime && tag !== tags.generalizedTime) return Number.NaN;
  const text = Buffer.from(contents).toString('latin1');
  const match = (isUtcTime ? anyUtcTime : anyGeneralizedTime).exec(text);
  if (match === null) return Number.NaN;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part = '0') => Number(part));
  const fullYear = isUtcTime ? year + (year < 50 ? 2000 : 1900) : year;
  return utcTime(fullYear, month, day, hour, minute, second) - offsetOf(match[7] ?? 'Z');
}

/** How far a zone is ahead of UTC, ms; NaN: there is none such. */
function offsetOf(zone: string): number {
  if (zone === 'Z') return 0;
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3))];
  if (hours > 23 || minutes > 59) return Number.NaN;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}

const whiteSpace: ReadonlySet<number> = new Set([0x09, 0x0a, 0x0d, 0x20]);

/** A file or a body without the line ends that an editor or a server has put behind its one element. */
export function trimEnd(bytes: Uint8Array): Uint8Array {
  const cursor = new DerCursor(bytes);
  cursor.read(bytes.length);
  const isBlank = bytes.subarray(cursor.end, cursor.end + 16).every((octet) => whiteSpace.has(octet));
  return isBlank && bytes.length - cursor.end <= 16 ? bytes.subarray(0, cursor.end) : bytes;
}

/** One element around contents. */
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

/** An OBJECT IDENTIFIER's contents as dotted numbers, exact where arcs stay below 2^53 and the whole below 64 octets. */
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
