/**
 * Reads the messages of a server's flight (RFC 5246 §7.4, RFC 8446 §4.1.3, §4.3, §4.4; RFC 8422 §5.4). Structure is read
 * strictly: nothing may be missing or left over. Extensions that are not needed are skipped. All functions throw WireError.
 */
import type { CipherSuite } from './cipher-suites.ts';
import { type NamedGroup, namedGroup } from './named-groups.ts';
import type { CertificateRequest, KeyExchange } from './server-flight.ts';
import { certificateType, signatureScheme } from './signature-schemes.ts';
import type { VersionName } from './versions.ts';
import { WireCursor } from './wire.ts';

export interface ServerHello {
  /** Code of the version; of TLS 1.3 that of the extension. */
  readonly version: number;
  readonly sessionId: Buffer;
  /** Code of the suite. */
  readonly suite: number;
  /** A HelloRetryRequest. */
  readonly isRetry: boolean;
  readonly extensions: ReadonlyMap<number, Buffer>;
}

/** The random of a HelloRetryRequest (RFC 8446 §4.1.3): the SHA-256 of that word. */
const retryRandom = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

const extensionTypes = {
  signatureAlgorithms: 13,
  alpn: 16,
  extendedMasterSecret: 23,
  supportedVersions: 43,
  certificateAuthorities: 47,
  keyShare: 51,
  renegotiationInfo: 0xff01,
} as const;

export function readServerHello(body: Buffer): ServerHello {
  const cursor = new WireCursor(body, 'ServerHello');
  const legacyVersion = cursor.number(2);
  const random = cursor.octets(32);
  const sessionId = cursor.vector(1);
  if (sessionId.length > 32) throw cursor.error('has a session id of more than 32 bytes');
  const suite = cursor.number(2);
  if (cursor.number(1) !== 0) throw cursor.error('chose a compression that was not offered');
  // Up to TLS 1.2 the extensions may be absent (RFC 5246 §7.4.1.3).
  const extensions = cursor.isAtEnd ? new Map<number, Buffer>() : readExtensions(cursor);
  cursor.close();
  const chosen = extensions.get(extensionTypes.supportedVersions);
  const version = chosen === undefined ? legacyVersion : readNumber(chosen, 'supported_versions');
  return { version, sessionId, suite, isRetry: random.equals(retryRandom), extensions };
}

function readExtensions(cursor: WireCursor): Map<number, Buffer> {
  const list = new WireCursor(cursor.vector(2), 'a list of extensions');
  const found = new Map<number, Buffer>();
  while (!list.isAtEnd) {
    const type = list.number(2);
    if (found.has(type)) throw list.error(`has the extension ${type} twice`);
    found.set(type, list.vector(2));
  }
  return found;
}

function readNumber(value: Buffer, name: string): number {
  const cursor = new WireCursor(value, name);
  const number = cursor.number(2);
  cursor.close();
  return number;
}

/** key_share of a ServerHello, or of a HelloRetryRequest, which has the group only; null: there is none. */
export function readKeyShare({ extensions, isRetry }: ServerHello): { group: number; key: Buffer } | null {
  const value = extensions.get(extensionTypes.keyShare);
  if (value === undefined) return null;
  const cursor = new WireCursor(value, 'key_share');
  const group = cursor.number(2);
  const key = isRetry ? Buffer.alloc(0) : cursor.vector(2, 1);
  cursor.close();
  return { group, key };
}

/** renegotiation_info (RFC 5746 §3.2) and extended_master_secret (RFC 7627 §5.1). */
export function readProtections({ extensions }: ServerHello): {
  readonly secureRenegotiation: boolean;
  readonly extendedMasterSecret: boolean;
} {
  const info = extensions.get(extensionTypes.renegotiationInfo);
  if (info !== undefined) {
    const cursor = new WireCursor(info, 'renegotiation_info');
    if (cursor.vector(1).length > 0) throw cursor.error('is not empty in a first handshake');
    cursor.close();
  }
  return {
    secureRenegotiation: info !== undefined,
    extendedMasterSecret: extensions.has(extensionTypes.extendedMasterSecret),
  };
}

/** RFC 7301 §3.1; null: there is none. */
export function readAlpn(extensions: ReadonlyMap<number, Buffer>): string | null {
  const value = extensions.get(extensionTypes.alpn);
  if (value === undefined) return null;
  const cursor = new WireCursor(value, 'ALPN');
  const [name, ...others] = cursor.vectors(2, { each: 1, min: 1 });
  cursor.close();
  if (name === undefined || others.length > 0) throw cursor.error('does not name one protocol');
  return name.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
}

/** The extensions of an EncryptedExtensions message. */
export function readEncryptedExtensions(body: Buffer): ReadonlyMap<number, Buffer> {
  const cursor = new WireCursor(body, 'EncryptedExtensions');
  const extensions = readExtensions(cursor);
  cursor.close();
  return extensions;
}

/** The certificates in the order sent. */
export function readCertificates(body: Buffer, version: VersionName): Buffer[] {
  const cursor = new WireCursor(body, 'Certificate');
  if (version !== 'TLS 1.3') {
    const certificates = cursor.vectors(3, { each: 3, min: 1 });
    cursor.close();
    return certificates;
  }
  if (cursor.vector(1).length > 0) throw cursor.error('answers a request that was not made');
  const list = new WireCursor(cursor.vector(3), 'Certificate');
  cursor.close();
  const found: Buffer[] = [];
  while (!list.isAtEnd) {
    found.push(list.vector(3, 1));
    readExtensions(list);
  }
  return found;
}

export function readCertificateRequest(body: Buffer, version: VersionName): CertificateRequest {
  const cursor = new WireCursor(body, 'CertificateRequest');
  if (version === 'TLS 1.3') {
    if (cursor.vector(1).length > 0) throw cursor.error('has a context in a first handshake');
    const extensions = readExtensions(cursor);
    cursor.close();
    return readRequestExtensions(extensions);
  }
  const certificateTypes = [...cursor.vector(1, 1)].map(certificateType);
  const signatureSchemes = version === 'TLS 1.2' ? cursor.codes(2).map(signatureScheme) : [];
  const authorities = cursor.vectors(2, { each: 2, min: 1 });
  cursor.close();
  return { certificateTypes, signatureSchemes, authorities };
}

function readRequestExtensions(extensions: ReadonlyMap<number, Buffer>): CertificateRequest {
  const schemes = extensions.get(extensionTypes.signatureAlgorithms);
  const names = extensions.get(extensionTypes.certificateAuthorities);
  // RFC 8446 §4.3.2.
  if (schemes === undefined)
    throw new WireCursor(Buffer.alloc(0), 'CertificateRequest').error('lacks signature_algorithms');
  return {
    certificateTypes: [],
    signatureSchemes: readAll(schemes, 'signature_algorithms', (cursor) => cursor.codes(2, 2)).map(
      signatureScheme,
    ),
    authorities:
      names === undefined
        ? []
        : readAll(names, 'certificate_authorities', (cursor) => cursor.vectors(2, { each: 2, min: 1 })),
  };
}

function readAll<T>(value: Buffer, name: string, read: (cursor: WireCursor) => T): T {
  const cursor = new WireCursor(value, name);
  const found = read(cursor);
  cursor.close();
  return found;
}

/** `suite`: one with an ephemeral key exchange, or of export grade. null: the message holds an RSA key of export grade. */
export function readServerKeyExchange(
  body: Buffer,
  { suite, version }: { readonly suite: CipherSuite; readonly version: VersionName },
): KeyExchange | null {
  const cursor = new WireCursor(body, 'ServerKeyExchange');
  const group = readGroup(cursor, suite);
  const isAnonymous = suite.keyExchange.endsWith('_anon');
  const signatureScheme = isAnonymous ? null : readSignature(cursor, version);
  cursor.close();
  return group === null ? null : { group, signatureScheme };
}

function readGroup(cursor: WireCursor, { keyExchange }: CipherSuite): NamedGroup | null {
  if (keyExchange.startsWith('EC')) {
    if (cursor.number(1) !== 3) throw cursor.error('has a curve without a name');
    const group = namedGroup(cursor.number(2));
    cursor.vector(1, 1);
    return group;
  }
  const first = cursor.vector(2, 1);
  cursor.vector(2, 1);
  if (keyExchange === 'RSA') return null;
  cursor.vector(2, 1);
  const bits = bitLength(first);
  return { code: null, name: `dh ${bits} bits`, strength: bits };
}

function bitLength(number: Buffer): number {
  const at = number.findIndex((octet) => octet !== 0);
  return at < 0 ? 0 : (number.length - at) * 8 - (Math.clz32(number[at] ?? 0) - 24);
}

function readSignature(cursor: WireCursor, version: VersionName): KeyExchange['signatureScheme'] {
  const scheme = version === 'TLS 1.2' ? signatureScheme(cursor.number(2)) : null;
  cursor.vector(2, 1);
  return scheme;
}

/** The scheme of a CertificateVerify message of TLS 1.3. The signature is not verified. */
export function readCertificateVerify(body: Buffer): NonNullable<KeyExchange['signatureScheme']> {
  const cursor = new WireCursor(body, 'CertificateVerify');
  const scheme = signatureScheme(cursor.number(2));
  cursor.vector(2, 1);
  cursor.close();
  return scheme;
}
