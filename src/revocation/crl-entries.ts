/** Reads the revoked certificates of a CRL (RFC 5280 §5.1.2.6, §5.3) one after the other, without an object for any. */
import { type DerCursor, DerError, formatOid, tags } from '../pki/der-cursor.ts';
import { directoriesAmong } from '../pki/directory-name.ts';
import { readGeneralNames } from '../pki/distribution-point.ts';
import { CrlRefusal } from './crl-refusal.ts';
import { removeFromCrl, revocationReasons } from './crl-table.ts';

/** RFC 5280 §4.1.2.2 allows 20 octets; CAs that gave 20 to the number itself need one more for its sign. */
const MAX_SERIAL = 21;

interface EntryRules {
  /** A v1 CRL's entries have no extensions. */
  readonly version: 1 | 2;
  readonly indirect: boolean;
  readonly delta: boolean;
  /** The CRL's own issuer: of the certificates before the first entry that names another (RFC 5280 §5.3.3). */
  readonly issuer: string;
}

export class EntryReader {
  /** Names of certificate issuers so far, the CRL's own first. */
  readonly issuers: (readonly string[])[];
  /** The last entry: its serial's place in the bytes, time, CRLReason, and which of `issuers` the certificate is of. */
  serialStart = 0;
  serialEnd = 0;
  revokedAt = 0;
  reason = 0;
  issuer = 0;
  readonly #cursor: DerCursor;
  readonly #end: number;
  readonly #rules: EntryRules;
  readonly #issuerIndex = new Map<string, number>();

  /** The cursor stands at the first entry, `end` behind the last. */
  constructor(cursor: DerCursor, end: number, rules: EntryRules) {
    this.#cursor = cursor;
    this.#end = end;
    this.#rules = rules;
    this.issuers = [[rules.issuer]];
  }

  /** Reads the next entry; false at the end. Throws DerError and CrlRefusal. */
  next(): boolean {
    const cursor = this.#cursor;
    if (cursor.at >= this.#end) return false;
    cursor.open(this.#end, tags.sequence);
    const { end } = cursor;
    cursor.readInteger(end);
    this.serialStart = cursor.start;
    this.serialEnd = cursor.end;
    if (cursor.end - cursor.start > MAX_SERIAL)
      throw new DerError(`a serial number of ${cursor.end - cursor.start} octets, at byte ${cursor.start}`);
    this.revokedAt = cursor.readTime(end);
    this.reason = 0;
    if (cursor.at < end) this.#readExtensions(end);
    if (this.reason === removeFromCrl && !this.#rules.delta)
      throw new DerError(`removeFromCRL in a complete CRL, at byte ${this.serialStart}`);
    return true;
  }

  #readExtensions(end: number): void {
    const cursor = this.#cursor;
    if (this.#rules.version === 1)
      throw new DerError(`an entry's extensions in a v1 CRL, at byte ${cursor.at}`);
    cursor.open(end, tags.sequence);
    if (cursor.end !== end) throw new DerError(`bytes behind an entry's extensions, at byte ${cursor.end}`);
    let seen = 0;
    while (cursor.at < end) {
      const { at } = cursor;
      const extension = this.#readExtension(end);
      if ((seen & extension) !== 0)
        throw new DerError(`an entry's extension that occurs twice, at byte ${at}`);
      seen |= extension;
    }
  }

  /** A bit that stands for the extension; 0 for one that is passed over. */
  #readExtension(limit: number): number {
    const cursor = this.#cursor;
    cursor.open(limit, tags.sequence);
    const { end } = cursor;
    cursor.read(end, tags.oid);
    const oidStart = cursor.start;
    const oidEnd = cursor.end;
    const critical = cursor.peek(end) === tags.boolean && cursor.readBoolean(end);
    cursor.open(end, tags.octetString);
    if (cursor.end !== end) throw new DerError(`bytes behind an extension's value, at byte ${cursor.end}`);
    switch (this.#arcBelowIdCe(oidStart, oidEnd)) {
      case 21:
        this.#readReason(end);
        return 1;
      case 29:
        this.#readIssuer(end);
        return 2;
      default:
        if (critical)
          throw new CrlRefusal(
            'critical_extension',
            `an entry has the critical extension ${formatOid(cursor.bytes.subarray(oidStart, oidEnd))}`,
          );
        cursor.at = end;
        return 0;
    }
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
    cursor.read(end, tags.enumerated);
    cursor.close(end);
    const code = cursor.end - cursor.start === 1 ? (cursor.bytes[cursor.start] as number) : -1;
    if (code < 0 || code >= 0x80) throw new DerError(`no reason code, at byte ${cursor.start}`);
    // A code that nobody knows revokes all the same.
    this.reason = (revocationReasons[code] ?? null) === null ? 0 : code;
  }

  #readIssuer(end: number): void {
    const cursor = this.#cursor;
    if (!this.#rules.indirect)
      throw new DerError(`a certificateIssuer in a CRL that is not indirect, at byte ${cursor.at}`);
    cursor.read(end, tags.sequence);
    cursor.close(end);
    const names = readGeneralNames(cursor.contents());
    const key = JSON.stringify(names);
    // Only a directory name can be a certificate's issuer.
    this.issuer = this.#issuerIndex.get(key) ?? this.issuers.push(directoriesAmong(names)) - 1;
    this.#issuerIndex.set(key, this.issuer);
  }
}
