/** Parses the extensions of a CRL (RFC 5280 §5.2) and refuses unsupported critical ones. */
import { DerCursor, DerError, tags } from '../../pki/der-cursor.ts';
import {
  type DistributionPoint,
  readDistributionPoints,
  readPointName,
} from '../../pki/distribution-point.ts';
import { readExtension } from '../../pki/extension.ts';
import { MAX_SERIAL_OCTETS } from '../../pki/serial.ts';
import type { CrlScope } from './crl.ts';
import { CrlRefusal } from './refusal.ts';

interface CrlExtensions {
  readonly number: bigint | null;
  readonly baseNumber: bigint | null;
  readonly scope: CrlScope;
  readonly freshestCrl: readonly DistributionPoint[];
}

const oid = {
  crlNumber: '2.5.29.20',
  deltaCrlIndicator: '2.5.29.27',
  issuingDistributionPoint: '2.5.29.28',
  authorityKeyIdentifier: '2.5.29.35',
  freshestCrl: '2.5.29.46',
} as const;
/** The authority key identifier is not evaluated: `readCrl` tries every key that has the issuer's name. */
const processed: ReadonlySet<string> = new Set(Object.values(oid));

/** `contents`: of `crlExtensions [0]`; null: absent. `issuer`: canonical name. Throws DerError, CrlRefusal. */
export function readCrlExtensions(contents: Uint8Array | null, issuer: string): CrlExtensions {
  const values = contents === null ? new Map<string, Uint8Array>() : readValues(contents);
  const [number, base, freshest] = [oid.crlNumber, oid.deltaCrlIndicator, oid.freshestCrl].map((id) =>
    values.get(id),
  );
  return {
    number: number === undefined ? null : readNumber(number),
    baseNumber: base === undefined ? null : readNumber(base),
    scope: readScope(values.get(oid.issuingDistributionPoint) ?? null, issuer),
    freshestCrl: freshest === undefined ? [] : readDistributionPoints(freshest, issuer),
  };
}

function readValues(contents: Uint8Array): Map<string, Uint8Array> {
  const cursor = new DerCursor(contents);
  cursor.open(contents.length, tags.sequence);
  if (cursor.end !== contents.length) throw new DerError('trailing bytes after the extensions');
  const values = new Map<string, Uint8Array>();
  while (cursor.at < contents.length) {
    const { oid: id, critical, value } = readExtension(cursor, contents.length);
    if (values.has(id)) throw new DerError(`extension ${id} occurs twice`);
    if (critical && !processed.has(id))
      throw new CrlRefusal(
        'critical_extension',
        `the CRL has the critical extension ${id}, which the gateway does not support, so the CRL must not be used (RFC 5280 §5.2)`,
      );
    values.set(id, value);
  }
  return values;
}

/** RFC 5280 §5.2.3 allows 20 octets and no negative number; negative numbers are accepted and compared too. */
function readNumber(value: Uint8Array): bigint {
  const cursor = new DerCursor(value);
  cursor.openLast(value.length, tags.integer);
  const octets = cursor.contents();
  if (octets.length === 0 || octets.length > MAX_SERIAL_OCTETS)
    throw new DerError(`a CRL number of ${octets.length} octets`);
  return BigInt.asIntN(octets.length * 8, BigInt(`0x${Buffer.from(octets).toString('hex')}`));
}

function readScope(value: Uint8Array | null, issuer: string): CrlScope {
  if (value === null) return { extension: null, names: null, only: null, reasons: null, indirect: false };
  const cursor = new DerCursor(value);
  cursor.open(value.length, tags.sequence);
  const { end } = cursor;
  if (end !== value.length) throw new DerError('trailing bytes after the issuing distribution point');
  let names: string[] | null = null;
  if (cursor.peek(end) === 0xa0) {
    cursor.read(end);
    names = readPointName(cursor.contents(), issuer);
  }
  const flag = (tag: number): boolean => cursor.peek(end) === tag && cursor.readBoolean(end, tag);
  const user = flag(0x81);
  const ca = flag(0x82);
  const reasons = cursor.peek(end) === 0x83 ? cursor.readNamedBits(end, 0x83) : null;
  const indirect = flag(0x84);
  const attribute = flag(0x85);
  cursor.close(end);
  if (Number(user) + Number(ca) + Number(attribute) > 1)
    throw new DerError(
      'an issuing distribution point with more than one of onlyContainsUserCerts, onlyContainsCACerts and onlyContainsAttributeCerts',
    );
  const only = user ? 'user' : ca ? 'ca' : attribute ? 'attribute' : null;
  return { extension: Buffer.from(value).toString('hex'), names, only, reasons, indirect };
}
