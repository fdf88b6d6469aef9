/**
 * Reads ServerHello and HelloRetryRequest (RFC 5246 §7.4.1.3, RFC 8446 §4.1.3, §4.1.4). Structure is read strictly; extensions
 * that are not needed are skipped. All functions throw WireError.
 */
import { cipherSuite } from './cipher-suites.ts';
import { hexCode, namedGroup } from './named-groups.ts';
import type { FlightFailure } from './outcome.ts';
import type { ServerFlight } from './server-flight.ts';
import { type VersionName, versionCodes, versionName } from './versions.ts';
import { WireCursor, WireError } from './wire.ts';

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
  alpn: 16,
  extendedMasterSecret: 23,
  supportedVersions: 43,
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

/** A list of extensions, by their types. */
export function readExtensions(cursor: WireCursor): Map<number, Buffer> {
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
function readProtections({ extensions }: ServerHello): {
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
function readAlpn(extensions: ReadonlyMap<number, Buffer>): string | null {
  const value = extensions.get(extensionTypes.alpn);
  if (value === undefined) return null;
  const cursor = new WireCursor(value, 'ALPN');
  const [name, ...others] = cursor.vectors(2, { each: 1, min: 1 });
  cursor.close();
  if (name === undefined || others.length > 0) throw cursor.error('does not name one protocol');
  return name.toString('latin1').replace(/[^\x20-\x7e]/g, '.');
}

/** The protocol of ALPN in an EncryptedExtensions message. */
export function readEncryptedAlpn(body: Buffer): string | null {
  const cursor = new WireCursor(body, 'EncryptedExtensions');
  const extensions = readExtensions(cursor);
  cursor.close();
  return readAlpn(extensions);
}

/** The flight that begins with this ServerHello, or why it is none. `offer`: what the ClientHello offered. */
export function beginFlight(
  hello: ServerHello,
  offer: { readonly version: VersionName; readonly suites: readonly number[] },
): ServerFlight | Extract<FlightFailure, { kind: 'other-version' }> {
  const version = versionName(hello.version);
  if (version === null || versionCodes[version] > versionCodes[offer.version])
    throw new WireError(`ServerHello has the version ${hexCode(hello.version)}, which was not offered`);
  if (version !== offer.version) return { kind: 'other-version', version };
  const suite = cipherSuite(hello.suite);
  if (suite === null || !offer.suites.includes(suite.code))
    throw new WireError(`ServerHello has the cipher suite ${hexCode(hello.suite)}, which was not offered`);
  const is13 = version === 'TLS 1.3';
  const share = is13 ? readKeyShare(hello) : null;
  return {
    version,
    suite,
    alpn: is13 ? null : readAlpn(hello.extensions),
    sessionIdBytes: hello.sessionId.length,
    ...(is13 ? { secureRenegotiation: null, extendedMasterSecret: null } : readProtections(hello)),
    certificates: [],
    keyExchange: share === null ? null : { group: namedGroup(share.group), signatureScheme: null },
    certificateRequest: null,
  };
}
