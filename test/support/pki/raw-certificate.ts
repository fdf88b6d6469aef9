/** Encodes certificates field by field, valid or not, without checks; ten times as fast as issuing/certificate.ts. */
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { derElement, tags } from '../../../src/pki/der-cursor.ts';
import {
  derExtensions,
  derInteger,
  derOid,
  derTime,
  type RawExtension,
} from '../../../src/pki/der-writer.ts';
import { signatureAlgorithms } from '../../../src/pki/signature.ts';

export interface RawOptions {
  readonly version: 1 | 2 | 3;
  /** The contents of the INTEGER. */
  readonly serial: Uint8Array;
  /** DER of the names. */
  readonly subject: Uint8Array;
  readonly issuer: Uint8Array;
  /** Milliseconds since the epoch, truncated to seconds. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly key: KeyObject;
  readonly signer: KeyObject;
  readonly hash: 'sha1' | 'sha256';
  /** Only written for version 3. */
  readonly extensions: readonly RawExtension[];
}

/** DER. */
export function rawCertificate(options: RawOptions): Buffer {
  const { version, serial, subject, issuer, key, signer, hash, extensions } = options;
  const algorithm = algorithmOf(signer, hash);
  const tbs = derElement(
    tags.sequence,
    ...(version === 1 ? [] : [derElement(0xa0, derInteger(version - 1))]),
    derElement(tags.integer, serial),
    algorithm,
    issuer,
    derElement(tags.sequence, derTime(options.notBefore), derTime(options.notAfter)),
    subject,
    publicKeyOf(key),
    ...(version === 3 && extensions.length > 0 ? [derElement(0xa3, derExtensions(extensions))] : []),
  );
  return derElement(
    tags.sequence,
    tbs,
    algorithm,
    derElement(tags.bitString, Buffer.of(0), sign(hash, tbs, signer)),
  );
}

function algorithmOf(signer: KeyObject, hash: 'sha1' | 'sha256'): Buffer {
  return signer.asymmetricKeyType === 'ec'
    ? derElement(tags.sequence, derOid(signatureAlgorithms.ec[hash]))
    : derElement(tags.sequence, derOid(signatureAlgorithms.rsa[hash]), Buffer.of(5, 0));
}

const publicKeys = new WeakMap<KeyObject, Buffer>();

function publicKeyOf(key: KeyObject): Buffer {
  let der = publicKeys.get(key);
  if (der === undefined) {
    der = createPublicKey(key).export({ type: 'spki', format: 'der' });
    publicKeys.set(key, der);
  }
  return der;
}

const keyIds = new WeakMap<KeyObject, Buffer>();

/** A key identifier of 20 octets. */
export function rawKeyId(key: KeyObject): Buffer {
  let id = keyIds.get(key);
  if (id === undefined) {
    id = createHash('sha1').update(publicKeyOf(key)).digest();
    keyIds.set(key, id);
  }
  return id;
}

/** One RDN per attribute; `tag`: the string type. */
export function rawName(
  attributes: readonly { oid: string; text: string | Uint8Array; tag?: number }[],
): Buffer {
  return derElement(
    tags.sequence,
    ...attributes.map(({ oid, text, tag = 0x0c }) =>
      derElement(tags.set, derElement(tags.sequence, derOid(oid), derElement(tag, Buffer.from(text)))),
    ),
  );
}

export function rawPem(der: Uint8Array, label = 'CERTIFICATE'): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}
