/** Writes a ClientHello that offers one protocol version (RFC 5246 §7.4.1.2, RFC 8446 §4.1.2, RFC 6101 §5.6.1.2). */
import { randomBytes } from 'node:crypto';
import { type VersionName, versionCodes } from './versions.ts';
import { writeNumber, writeVector } from './wire.ts';

export interface KeyShare {
  /** Code of the group. */
  readonly group: number;
  readonly key: Uint8Array;
}

export interface ClientHelloOptions {
  readonly version: VersionName;
  /** Codes, at least one. */
  readonly suites: readonly number[];
  /** null: no server_name. */
  readonly servername: string | null;
  /** Codes of groups. */
  readonly groups: readonly number[];
  /** Codes; sent from TLS 1.2 on. */
  readonly signatureSchemes: readonly number[];
  /** Of signatures on certificates, if others than those of the handshake are accepted (RFC 8446 §4.2.3). Empty: not sent. */
  readonly certificateSchemes?: readonly number[];
  readonly alpn: readonly string[];
  /** TLS 1.3 only. Empty: the server answers with a HelloRetryRequest that names its group (RFC 8446 §4.2.8). */
  readonly shares: readonly KeyShare[];
}

/** Announces secure renegotiation as the extension renegotiation_info does (RFC 5746 §3.3). */
const emptyRenegotiationInfoScsv = 0x00ff;

const types = {
  serverName: 0,
  supportedGroups: 10,
  pointFormats: 11,
  signatureAlgorithms: 13,
  alpn: 16,
  padding: 21,
  extendedMasterSecret: 23,
  supportedVersions: 43,
  signatureAlgorithmsCert: 50,
  keyShare: 51,
} as const;

/** The handshake message with its header, without a record. */
export function writeClientHello(options: ClientHelloOptions): Buffer {
  const { version, suites } = options;
  const is13 = version === 'TLS 1.3';
  const codes = is13 ? suites : [...suites, emptyRenegotiationInfoScsv];
  const head = Buffer.concat([
    // TLS 1.3 names its version in an extension (RFC 8446 §4.1.2).
    writeNumber(versionCodes[is13 ? 'TLS 1.2' : version], 2),
    randomBytes(32),
    // A session id makes a server of TLS 1.3 behave as middleboxes expect (RFC 8446 appendix D.4).
    writeVector(1, is13 ? randomBytes(32) : Buffer.alloc(0)),
    writeCodes(codes),
    writeVector(1, Buffer.of(0)),
  ]);
  // SSL 3.0 has no extensions; some servers of its time refuse them.
  if (version === 'SSL 3.0') return writeMessage(head);
  const extensions = extensionsOf(options);
  const length = 4 + head.length + 2 + extensions.length;
  return writeMessage(Buffer.concat([head, writeVector(2, extensions, padding(length))]));
}

/** One handshake message in one record. A message of a ClientHello is never longer than a record holds. */
export function writeHelloRecord(message: Buffer, version: VersionName): Buffer {
  // RFC 8446 §5.1: servers that do not know a newer version may refuse its number in the record.
  const code = versionCodes[version === 'SSL 3.0' ? 'SSL 3.0' : 'TLS 1.0'];
  return Buffer.concat([Buffer.of(22), writeNumber(code, 2), writeVector(2, message)]);
}

function writeMessage(body: Buffer): Buffer {
  return Buffer.concat([Buffer.of(1), writeVector(3, body)]);
}

function writeCodes(codes: readonly number[]): Buffer {
  return writeVector(2, ...codes.map((code) => writeNumber(code, 2)));
}

function extensionsOf(options: ClientHelloOptions): Buffer {
  const { version, servername, groups, signatureSchemes, certificateSchemes = [], alpn, shares } = options;
  const is13 = version === 'TLS 1.3';
  const list: Buffer[] = [];
  const add = (type: number, value: Buffer) => list.push(writeNumber(type, 2), writeVector(2, value));
  if (servername !== null) {
    const name = Buffer.concat([Buffer.of(0), writeVector(2, Buffer.from(servername, 'latin1'))]);
    add(types.serverName, writeVector(2, name));
  }
  if (groups.length > 0) add(types.supportedGroups, writeCodes(groups));
  // Uncompressed; required for ECDHE by some servers (RFC 8422 §5.1.2).
  if (!is13) add(types.pointFormats, writeVector(1, Buffer.of(0)));
  if (is13 || version === 'TLS 1.2') add(types.signatureAlgorithms, writeCodes(signatureSchemes));
  if (is13 && certificateSchemes.length > 0)
    add(types.signatureAlgorithmsCert, writeCodes(certificateSchemes));
  if (alpn.length > 0)
    add(types.alpn, writeVector(2, ...alpn.map((name) => writeVector(1, Buffer.from(name, 'latin1')))));
  if (!is13) add(types.extendedMasterSecret, Buffer.alloc(0));
  if (is13) {
    add(types.supportedVersions, writeVector(1, writeNumber(versionCodes['TLS 1.3'], 2)));
    const entries = shares.map(({ group, key }) =>
      Buffer.concat([writeNumber(group, 2), writeVector(2, key)]),
    );
    add(types.keyShare, writeVector(2, ...entries));
  }
  return Buffer.concat(list);
}

/** RFC 7685: some servers hang at a ClientHello of 256 to 511 bytes. */
function padding(length: number): Buffer {
  if (length < 256 || length > 511) return Buffer.alloc(0);
  const zeros = Buffer.alloc(Math.max(0, 512 - length - 4));
  return Buffer.concat([writeNumber(types.padding, 2), writeVector(2, zeros)]);
}
