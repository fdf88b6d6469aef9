/** Reads a certificate request (PKCS#10, RFC 2986), and whether its own key signed it. */
import { createHash, createPublicKey } from 'node:crypto';
import { DerCursor, DerError, formatOid, tags } from '../../pki/der-cursor.ts';
import { formatName, readName } from '../../pki/distinguished-name.ts';
import { readExtension } from '../../pki/extension.ts';
import {
  type KeyUsageName,
  readExtendedKeyUsage,
  readKeyUsage,
  readPrintedNames,
} from '../../pki/extension-decoders.ts';
import { type CertificateKey, keyTypeOf } from '../../pki/key.ts';
import { type Algorithm, readAlgorithm } from '../../pki/signature.ts';
import { isSignedBy } from '../../revocation/signature.ts';

export interface CertificateRequest {
  /** RFC 4514. */
  readonly subject: string;
  readonly key: CertificateKey;
  /** Base64 SHA-256 of the public key. */
  readonly spkiPin: string;
  readonly signatureAlgorithm: Algorithm;
  /** Signed by its own key with SHA-256 or better. */
  readonly isSelfSigned: boolean;
  /** Requested extensions; null: absent. */
  readonly keyUsage: ReadonlySet<KeyUsageName> | null;
  readonly extendedKeyUsage: readonly string[] | null;
  readonly sans: readonly string[];
}

const extensionRequest = '1.2.840.113549.1.9.14';
const oid = { keyUsage: '2.5.29.15', subjectAltName: '2.5.29.17', extendedKeyUsage: '2.5.29.37' } as const;

/** Throws DerError. */
export function readRequest(der: Uint8Array): CertificateRequest {
  const cursor = new DerCursor(der);
  cursor.openLast(der.length, tags.sequence);
  const info = cursor.element(der.length, tags.sequence);
  const signatureAlgorithm = readAlgorithm(cursor.element(der.length, tags.sequence));
  cursor.read(der.length, tags.bitString);
  cursor.close(der.length);
  const signature = cursor.contents().subarray(1);
  const { subject, spki, extensions } = readInfo(info);
  const publicKey = keyIn(spki);
  const found = <T>(id: string, read: (value: Uint8Array) => T): T | null => {
    const value = extensions.get(id);
    return value === undefined ? null : read(value);
  };
  return {
    subject: formatName(readName(subject)),
    key: keyTypeOf(publicKey),
    spkiPin: createHash('sha256').update(spki).digest('base64'),
    signatureAlgorithm,
    isSelfSigned: isSignedBy({ bytes: info, signature, algorithm: signatureAlgorithm }, { publicKey }),
    keyUsage: found(oid.keyUsage, readKeyUsage),
    extendedKeyUsage: found(oid.extendedKeyUsage, readExtendedKeyUsage),
    sans: found(oid.subjectAltName, readPrintedNames) ?? [],
  };
}

function keyIn(spki: Uint8Array) {
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' });
  } catch {
    throw new DerError('a public key that OpenSSL cannot read');
  }
}

function readInfo(info: Uint8Array) {
  const cursor = new DerCursor(info);
  cursor.openLast(info.length, tags.sequence);
  cursor.readInteger(info.length);
  const subject = cursor.element(info.length, tags.sequence);
  const spki = cursor.element(info.length, tags.sequence);
  const extensions = new Map<string, Uint8Array>();
  if (cursor.at < info.length) {
    cursor.openLast(info.length, 0xa0);
    while (cursor.at < info.length) readAttribute(cursor, extensions);
  }
  return { subject, spki, extensions };
}

function readAttribute(cursor: DerCursor, extensions: Map<string, Uint8Array>): void {
  cursor.open(cursor.bytes.length, tags.sequence);
  const { end } = cursor;
  cursor.read(end, tags.oid);
  const isExtensions = formatOid(cursor.contents()) === extensionRequest;
  cursor.open(end, tags.set);
  if (isExtensions) {
    cursor.open(end, tags.sequence);
    const { end: last } = cursor;
    while (cursor.at < last) {
      const { oid: id, value } = readExtension(cursor, last);
      extensions.set(id, value);
    }
  }
  cursor.at = end;
}
