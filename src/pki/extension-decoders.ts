/** Decodes the values of single extensions (RFC 5280 §4.2.1), one function each; each throws DerError. */
import { DerCursor, DerError, formatOid, openSequence, tags } from './der-cursor.ts';

const keyUsageNames = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const;
export type KeyUsageName = (typeof keyUsageNames)[number];

export function readKeyUsage(value: Uint8Array): ReadonlySet<KeyUsageName> {
  const cursor = new DerCursor(value);
  const bits = cursor.readNamedBits(value.length);
  return new Set(keyUsageNames.filter((_, bit) => (bits & (1 << bit)) !== 0));
}

/** The Netscape certificate type, a predecessor of key usage and extended key usage. */
export interface NetscapeCertType {
  readonly sslClient: boolean;
}

/** `value`: a netscape-cert-type extension (2.16.840.1.113730.1.1), a BIT STRING. */
export function readNetscapeCertType(value: Uint8Array): NetscapeCertType {
  const cursor = new DerCursor(value);
  const bits = cursor.readNamedBits(value.length);
  cursor.close(value.length);
  return { sslClient: (bits & 1) !== 0 };
}

/** Returns OIDs. */
export function readExtendedKeyUsage(value: Uint8Array): string[] {
  const cursor = openSequence(value);
  const purposes: string[] = [];
  while (cursor.at < value.length) {
    cursor.read(value.length, tags.oid);
    purposes.push(formatOid(cursor.contents()));
  }
  return purposes;
}

/** `pathLength` null: no limit. An explicit `cA FALSE` is accepted although DER omits it. */
export function readBasicConstraints(value: Uint8Array): { isCa: boolean; pathLength: number | null } {
  const cursor = openSequence(value);
  const isCa = cursor.peek(value.length) === tags.boolean && cursor.readBoolean(value.length);
  let pathLength: number | null = null;
  if (cursor.peek(value.length) === tags.integer) {
    cursor.readInteger(value.length);
    const octets = cursor.contents();
    if (octets.length > 4 || (octets[0] as number) >= 0x80) throw new DerError('a path length out of range');
    pathLength = octets.reduce((number, octet) => number * 256 + octet, 0);
  }
  cursor.close(value.length);
  return { isCa, pathLength };
}

/** The subjectAltName as text: `DNS:…`, `URI:…`, `email:…`, `IP:…`; other kinds of name are left out. */
export function readPrintedNames(value: Uint8Array): string[] {
  const cursor = openSequence(value);
  const names: string[] = [];
  while (cursor.at < value.length) {
    cursor.read(value.length);
    const kind = kinds[cursor.tag];
    if (kind === undefined) continue;
    const contents = cursor.contents();
    const { buffer, byteOffset, length } = contents;
    const text =
      kind === 'IP' ? formatIp(contents) : Buffer.from(buffer, byteOffset, length).toString('latin1');
    names.push(`${kind}:${text}`);
  }
  return names;
}

const kinds: Readonly<Record<number, string>> = { 129: 'email', 130: 'DNS', 134: 'URI', 135: 'IP' };

/** IPv6 in the form of RFC 5952; hex if it is not an address. */
function formatIp(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join('.');
  if (octets.length !== 16) return Buffer.from(octets).toString('hex');
  const view = new DataView(octets.buffer, octets.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(2 * index));
  let [from, length] = [0, 1];
  for (let start = 0, end = 0; start < 8; start = end + 1) {
    for (end = start; end < 8 && groups[end] === 0; ) end++;
    if (end - start > length) [from, length] = [start, end - start];
  }
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  return length < 2 ? text(groups) : `${text(groups.slice(0, from))}::${text(groups.slice(from + length))}`;
}
