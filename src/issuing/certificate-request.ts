/** Certificate requests (PKCS#10, RFC 2986) for the portals of Thredd and Raidiam Connect, and for the CA of a server. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { isIP } from 'node:net';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  ExtendedKeyUsage,
  GeneralName,
  KeyUsage,
  KeyUsageFlags,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509';
import { derElement, tags } from '../pki/der-cursor.ts';
import { derExtensions, derInteger, derOid, derSequence, type RawExtension } from '../pki/der-writer.ts';
import type { KeyUsageName } from '../pki/extension-decoders.ts';
import type { KeyKind } from '../pki/key.ts';
import { toPemBlock } from '../pki/pem.ts';
import type { NamedHash } from '../pki/signature.ts';
import { algorithmOf, signBytes } from './certificate.ts';
import { purposes } from './development.ts';
import { encodeSubject, type SubjectAttribute } from './subject.ts';

/** What the certificate is for: in the portals' words, or `server`: for the gateway's own, from a public CA. */
export type RequestType = 'transport' | 'signing' | 'encryption' | 'server';

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
  /** Host names and IP addresses for subjectAltName; default: none. */
  readonly hosts?: readonly string[];
  readonly key: KeyObject;
  readonly hash: NamedHash;
}

const extensionRequest = '1.2.840.113549.1.9.14';

/** PEM of the signed request. */
export function createRequest({ subject, type, hosts = [], key, hash }: RequestOptions): string {
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const extensions = type === null ? [] : [extensionsFor(type, key, hosts)];
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
    case 'server':
      return isRsa ? ['digitalSignature', 'keyEncipherment'] : ['digitalSignature'];
    case 'signing':
      return ['digitalSignature', 'nonRepudiation'];
    case 'encryption':
      return isRsa ? ['keyEncipherment', 'dataEncipherment'] : ['keyAgreement'];
    default:
      return type satisfies never;
  }
}

function extensionsFor(type: RequestType, key: KeyObject, hosts: readonly string[]): RawExtension[] {
  const bits = usagesFor(type, key.asymmetricKeyType === 'rsa').reduce(
    (sum, name) => sum | KeyUsageFlags[name],
    0,
  );
  const usage = { oid: '2.5.29.15', critical: true, value: serialize(new KeyUsage(bits)) };
  const purpose = tlsPurposes[type];
  const list = purpose === undefined ? [usage] : [usage, { oid: '2.5.29.37', value: extendedUsage(purpose) }];
  return hosts.length === 0 ? list : [...list, { oid: '2.5.29.17', value: alternativeNames(hosts) }];
}

const tlsPurposes: Partial<Record<RequestType, string>> = {
  transport: purposes.clientAuth,
  server: purposes.serverAuth,
};

function extendedUsage(purpose: string): Buffer {
  return serialize(new ExtendedKeyUsage([purpose]));
}

function alternativeNames(hosts: readonly string[]): Buffer {
  const names = hosts.map(
    (host) => new GeneralName(isIP(host) === 0 ? { dNSName: host } : { iPAddress: host }),
  );
  return serialize(new SubjectAlternativeName(names));
}

function serialize(value: object): Buffer {
  return Buffer.from(AsnConvert.serialize(value));
}
