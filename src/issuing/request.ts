/** Certificate requests (PKCS#10, RFC 2986) as the portals of Thredd and Raidiam Connect expect them. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { AsnConvert } from '@peculiar/asn1-schema';
import { ExtendedKeyUsage, KeyUsage, KeyUsageFlags } from '@peculiar/asn1-x509';
import { derElement, tags } from '../pki/der-cursor.ts';
import { derExtensions, derInteger, derOid, type RawExtension } from '../pki/der-writer.ts';
import type { KeyUsageName } from '../pki/extension-decoders.ts';
import type { KeyKind } from '../pki/key.ts';
import { toPemBlock } from '../pki/pem.ts';
import type { NamedHash } from '../pki/signature.ts';
import { algorithmOf, signBytes } from './certificate.ts';
import { purposes } from './development.ts';
import { derSequence } from './password-encryption.ts';
import { encodeSubject, type SubjectAttribute } from './subject.ts';

/** What the certificate is for, in the portals' words. */
export const requestTypes = ['transport', 'signing', 'encryption'] as const;
export type RequestType = (typeof requestTypes)[number];

/** The values of `--key` → the kind of key, and the hash of the request's signature. */
export const requestKeys = {
  'rsa:2048': { kind: 'rsa-2048', hash: 'sha256' },
  'rsa:3072': { kind: 'rsa-3072', hash: 'sha256' },
  'rsa:4096': { kind: 'rsa-4096', hash: 'sha256' },
  'ec:P-256': { kind: 'P-256', hash: 'sha256' },
  'ec:P-384': { kind: 'P-384', hash: 'sha384' },
} as const satisfies Record<string, { kind: KeyKind; hash: NamedHash }>;
export type RequestKey = keyof typeof requestKeys;

interface RequestOptions {
  readonly subject: readonly SubjectAttribute[];
  /** null: asks for no extensions, as `openssl req` without a configuration; the CA chooses them. */
  readonly type: RequestType | null;
  readonly key: KeyObject;
  readonly hash: NamedHash;
}

const extensionRequest = '1.2.840.113549.1.9.14';

/** PEM of the signed request. */
export function createRequest({ subject, type, key, hash }: RequestOptions): string {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const extensions = type === null ? [] : [extensionsFor(type, key)];
  const attributes = extensions.map((value) =>
    derSequence(derOid(extensionRequest), derElement(tags.set, derExtensions(value))),
  );
  const info = derSequence(derInteger(0), encodeSubject(subject), spki, derElement(0xa0, ...attributes));
  const algorithm = Buffer.from(AsnConvert.serialize(algorithmOf(key, hash, false)));
  const signature = derElement(tags.bitString, Buffer.of(0), signBytes(info, key, { hash }));
  return toPemBlock(derSequence(info, algorithm, signature), 'CERTIFICATE REQUEST');
}

/** Key usages by type (RFC 5280 §4.2.1.3); an RSA key enciphers keys, an EC key agrees on them. */
export function usagesFor(type: RequestType, isRsa: boolean): readonly KeyUsageName[] {
  switch (type) {
    case 'transport':
      return isRsa ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'];
    case 'signing':
      return ['digitalSignature', 'nonRepudiation'];
    case 'encryption':
      return isRsa ? ['keyEncipherment', 'dataEncipherment'] : ['keyAgreement'];
    default:
      return type satisfies never;
  }
}

function extensionsFor(type: RequestType, key: KeyObject): RawExtension[] {
  const bits = usagesFor(type, key.asymmetricKeyType === 'rsa').reduce(
    (sum, name) => sum | KeyUsageFlags[name],
    0,
  );
  const usage = { oid: '2.5.29.15', critical: true, value: serialize(new KeyUsage(bits)) };
  if (type !== 'transport') return [usage];
  return [usage, { oid: '2.5.29.37', value: serialize(new ExtendedKeyUsage([purposes.clientAuth])) }];
}

function serialize(value: object): Buffer {
  return Buffer.from(AsnConvert.serialize(value));
}
