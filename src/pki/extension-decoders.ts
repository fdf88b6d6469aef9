/** The values of a certificate's extensions (RFC 5280 §4.2.1) as what they say; each function throws DerError. */
import { DerCursor, DerError, formatOid, tags } from './der-cursor.ts';

export const keyUsageNames = [
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

/** Netscape's certificate type, the forerunner of key usage and extended key usage. */
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

/** OIDs. */
export function readExtendedKeyUsage(value: Uint8Array): string[] {
  const cursor = inside(value);
  const purposes: string[] = [];
  while (cursor.at < value.length) {
    cursor.read(value.length, tags.oid);
    purposes.push(formatOid(cursor.contents()));
  }
  return purposes;
}

/** `pathLength`: null where there is no limit. `cA FALSE` may be written out, though DER leaves it away. */
export function readBasicConstraints(value: Uint8Array): { isCa: boolean; pathLength: number | null } {
  const cursor = inside(value);
  const isCa = cursor.peek(value.length) === tags.boolean && cursor.readBoolean(value.length);
  let pathLength: number | null = null;
  if (cursor.peek(value.length) === tags.integer) {
    cursor.readInteger(value.length);
    const octets = cursor.contents();
    if (octets.length > 4 || (octets[0] as number) >= 0x80)
      throw new DerError('a path length that is no count');
    pathLength = octets.reduce((number, octet) => number * 256 + octet, 0);
  }
  cursor.close(value.length);
  return { isCa, pathLength };
}

/** `DNS:…`, `URI:…`, `email:…`, `IP:…`; other kinds of name are left out. */
export function readPrintedNames(value: Uint8Array): string[] {
  const cursor = inside(value);
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

/** IPv6 as RFC 5952 has it; the hex of what is no address. */
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

function inside(value: Uint8Array): DerCursor {
  const cursor = new DerCursor(value);
  cursor.open(value.length, tags.sequence);
  if (cursor.end !== value.length) throw new DerError('bytes behind an extension');
  return cursor;
}
