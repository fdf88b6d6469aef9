/** Parses the entries of a CRL (RFC 5280 §5.1.2.6, §5.3) one by one, without an object for each. */
import { type DerCursor, DerError, formatOid, tags } from '../../pki/der-cursor.ts';
import { readGeneralNames } from '../../pki/distribution-point.ts';
import { directoriesAmong } from '../../pki/general-name-text.ts';
import { MAX_SERIAL_OCTETS, serialStart } from '../../pki/serial.ts';
import { removeFromCrl, revocationReasons } from '../reasons.ts';
import type { UnclearEntries } from './crl.ts';
import { CrlRefusal } from './refusal.ts';

interface EntryRules {
  readonly indirect: boolean;
  readonly delta: boolean;
  /** The CRL's issuer, which is also the certificate issuer until an entry names another (RFC 5280 §5.3.3). */
  readonly issuer: string;
}

/**
 * An entry with a readable serial number revokes even if the rest of it is invalid: only its date or its reason is lost.
 * One invalid entry neither lets its certificate pass nor makes the rest of the CRL unusable.
 */
export class EntryReader {
  /** Names of the certificate issuers so far, the CRL's own first; null: unknown, so any issuer matches. */
  readonly issuers: (readonly string[] | null)[];
  /** The last entry: its serial number's range in the bytes, time (NaN: unknown), CRLReason, index in `issuers`. */
  serialStart = 0;
  serialEnd = 0;
  revokedAt = 0;
  reason = 0;
  issuer = 0;
  readonly #cursor: DerCursor;
  readonly #end: number;
  readonly #rules: EntryRules;
  readonly #issuerIndex = new Map<string, number>();
  /** Where the current entry begins. */
  #at = 0;
  #unclear = 0;
  #first = '';
  #lastUnclear = -1;

  /** `cursor`: at the first entry; `end`: behind the last one. */
  constructor(cursor: DerCursor, end: number, rules: EntryRules) {
    this.#cursor = cursor;
    this.#end = end;
    this.#rules = rules;
    this.issuers = [[rules.issuer]];
  }

  /** Of the entries so far. */
  get unclear(): UnclearEntries | null {
    return this.#unclear === 0 ? null : { count: this.#unclear, first: this.#first };
  }

  /** Reads the next entry; false at the end. Throws DerError if the serial number cannot be read, and CrlRefusal. */
  next(): boolean {
    while (this.#cursor.at < this.#end) {
      this.#read();
      const octets = this.serialEnd - this.serialStart;
      if (octets <= MAX_SERIAL_OCTETS) return true;
      // Skipped: a certificate with such a number is refused (pki/certificate-der.ts).
      this.#note(`a serial number of ${octets} octets`);
    }
    return false;
  }

  #read(): void {
    const cursor = this.#cursor;
    this.#at = cursor.at;
    cursor.open(this.#end, tags.sequence);
    const { end } = cursor;
    cursor.read(end, tags.integer);
    if (cursor.end === cursor.start)
      throw new DerError(`an entry without a serial number, at byte ${this.#at}`);
    this.serialStart = serialStart(cursor.bytes, cursor.start, cursor.end);
    this.serialEnd = cursor.end;
    this.revokedAt = Number.NaN;
    this.reason = 0;
    try {
      this.#readRest(end);
    } catch (cause) {
      if (!(cause instanceof DerError)) throw cause;
      this.#noteUnreadable(cause.message);
    }
    cursor.at = end;
  }

  #readRest(end: number): void {
    const cursor = this.#cursor;
    this.revokedAt = cursor.readAnyTime(end);
    if (Number.isNaN(this.revokedAt)) this.#note('an invalid date');
    if (cursor.at < end) this.#readExtensions(end);
    if (this.reason === removeFromCrl && !this.#rules.delta) {
      this.#note('removeFromCRL in a complete CRL');
      this.reason = 0;
    }
  }

  /** The unreadable part may name another certificate issuer, for this entry and those after it. */
  #noteUnreadable(what: string): void {
    this.reason = 0;
    if (this.#rules.indirect) this.issuer = this.#anyIssuer();
    this.#note(what);
  }

  #note(what: string): void {
    if (this.#lastUnclear === this.#at) return;
    this.#lastUnclear = this.#at;
    if (this.#unclear++ === 0) this.#first = what.includes('at byte') ? what : `${what}, at byte ${this.#at}`;
  }

  #anyIssuer(): number {
    const known = this.issuers.indexOf(null);
    return known >= 0 ? known : this.issuers.push(null) - 1;
  }

  #readExtensions(end: number): void {
    const cursor = this.#cursor;
    cursor.openLast(end, tags.sequence);
    let seen = 0;
    while (cursor.at < end) {
      const { at } = cursor;
      const extension = this.#readExtension(end);
      if ((seen & extension) !== 0) throw new DerError(`an extension that occurs twice, at byte ${at}`);
      seen |= extension;
    }
  }

  /** Returns a bit for the extension; 0 for one that is ignored. */
  #readExtension(limit: number): number {
    const cursor = this.#cursor;
    cursor.open(limit, tags.sequence);
    const { end } = cursor;
    cursor.read(end, tags.oid);
    const oidStart = cursor.start;
    const oidEnd = cursor.end;
    const critical = cursor.peek(end) === tags.boolean && cursor.readBoolean(end);
    cursor.openLast(end, tags.octetString);
    switch (this.#arcBelowIdCe(oidStart, oidEnd)) {
      case 21:
        this.#readReason(end);
        return 1;
      case 29:
        this.#readIssuer(end);
        return 2;
      // holdInstructionCode and invalidityDate do not change that the certificate is revoked (RFC 5280 §5.3.2).
      case 23:
      case 24:
        break;
      default:
        // RFC 5280 §5.3: a CRL with an unsupported critical entry extension must not be used for any certificate.
        if (critical)
          throw new CrlRefusal(
            'critical_extension',
            `an entry has the critical extension ${formatOid(cursor.bytes.subarray(oidStart, oidEnd))}`,
          );
    }
    cursor.at = end;
    return 0;
  }

  /** `n` of 2.5.29.n, or -1. */
  #arcBelowIdCe(start: number, end: number): number {
    const { bytes } = this.#cursor;
    return end - start === 3 && bytes[start] === 0x55 && bytes[start + 1] === 0x1d
      ? (bytes[start + 2] as number)
      : -1;
  }

  #readReason(end: number): void {
    const cursor = this.#cursor;
    cursor.openLast(end, tags.enumerated);
    const code = end - cursor.start === 1 ? (cursor.bytes[cursor.start] as number) : -1;
    if (code < 0 || code >= 0x80) throw new DerError(`an invalid reason code, at byte ${cursor.start}`);
    cursor.at = end;
    // An unknown code revokes too.
    this.reason = (revocationReasons[code] ?? null) === null ? 0 : code;
  }

  #readIssuer(end: number): void {
    const cursor = this.#cursor;
    cursor.openLast(end, tags.sequence);
    cursor.at = end;
    // A CRL that is not indirect covers only certificates of its own issuer (scope.ts), and so does this entry.
    if (!this.#rules.indirect) return this.#note('a certificateIssuer in a CRL that is not indirect');
    const names = readGeneralNames(cursor.contents());
    const key = JSON.stringify(names);
    const known = this.#issuerIndex.get(key);
    if (known !== undefined) {
      this.issuer = known;
      return;
    }
    const directories = directoriesAmong(names);
    // A certificate issuer is a directory name; other names cannot match.
    if (directories.length === 0)
      throw new DerError(`a certificateIssuer without a directory name, at byte ${cursor.start}`);
    this.issuer = this.issuers.push(directories) - 1;
    this.#issuerIndex.set(key, this.issuer);
  }
}
