/**
 * Reads the messages of a server's flight after ServerHello (RFC 5246 §7.4, RFC 8446 §4.3, §4.4; RFC 8422 §5.4). Structure is
 * read strictly: nothing may be missing or left over. All functions throw WireError.
 */
import type { CipherSuite } from './cipher-suites.ts';
import { type NamedGroup, namedGroup } from './named-groups.ts';
import type { CertificateRequest, KeyExchange } from './server-flight.ts';
import { readExtensions } from './server-hello.ts';
import { certificateType, signatureScheme } from './signature-schemes.ts';
import type { VersionName } from './versions.ts';
import { WireCursor } from './wire.ts';

const extensionTypes = { signatureAlgorithms: 13, certificateAuthorities: 47 } as const;

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
