/** Reads PKCS#12 files (RFC 7292): those of OpenSSL, Java and Windows, in modern and in legacy encryption. */
import { createPrivateKey, type KeyObject } from 'node:crypto';
import {
  type BerElement,
  BerError,
  bmpTextOf,
  contentsOf,
  elementsOf,
  explicit,
  integerOf,
  isTagged,
  octetsOf,
  oidOf,
  readBer,
  toDer,
} from './ber.ts';
import { described, Pkcs12Error, refuseOtherKinds, WrongPasswordError } from './error.ts';
import { readMac } from './mac.ts';
import { decryptionOf } from './password-decryption.ts';

export { Pkcs12Error, WrongPasswordError } from './error.ts';

export interface Pkcs12PrivateKey {
  readonly key: KeyObject;
  /** Hex. */
  readonly localKeyId?: string;
  /** friendlyName: the alias of Java, the name that Windows shows. */
  readonly name?: string;
}

export interface Pkcs12Contents {
  /** DER, in the order of the file. */
  readonly certificates: readonly Buffer[];
  readonly privateKeys: readonly Pkcs12PrivateKey[];
  /** Ciphers, key derivations and MAC, for people. */
  readonly encryption: string;
}

/** Object identifiers of contents and bags (RFC 7292 §4). */
export const pkcs12Types = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  safeContentsBag: '1.2.840.113549.1.12.10.1.6',
  x509Certificate: '1.2.840.113549.1.9.22.1',
  friendlyName: '1.2.840.113549.1.9.20',
  localKeyId: '1.2.840.113549.1.9.21',
} as const;

/**
 * Reads all certificates and private keys. CRLs and secrets of a key store are left out.
 * Throws WrongPasswordError, or Pkcs12Error if the file cannot be read.
 */
export function readPkcs12(bytes: Uint8Array, password: string): Pkcs12Contents {
  refuseOtherKinds(bytes);
  // Some programs write no password instead of the empty one, which derives another key (RFC 7292 §B.1).
  const passwords = password === '' ? ['', null] : [password];
  let wrong: WrongPasswordError | undefined;
  for (const each of passwords) {
    try {
      return readWith(bytes, each);
    } catch (error) {
      if (!(error instanceof WrongPasswordError)) throw described(error);
      wrong = error;
    }
  }
  throw wrong;
}

/** What a file holds, as it is read bag by bag. */
interface Reading {
  readonly password: string | null;
  /** Whether the MAC has confirmed the password. */
  readonly confirmed: boolean;
  readonly certificates: Buffer[];
  readonly privateKeys: Pkcs12PrivateKey[];
  readonly schemes: Set<string>;
}

function readWith(bytes: Uint8Array, password: string | null): Pkcs12Contents {
  const [version, authSafe, macData] = elementsOf(readBer(bytes));
  if (integerOf(version) !== 3) throw new BerError('not version 3');
  const [type, content] = elementsOf(authSafe);
  if (oidOf(type) !== pkcs12Types.data)
    throw new Pkcs12Error(
      'is signed with a public key instead of protected with a password, which is not supported',
    );
  const safe = octetsOf(explicit(content, 0));
  const mac = macData === undefined ? null : readMac(macData, password);
  if (mac?.confirms(safe) === false)
    throw new WrongPasswordError('needs another password: its MAC does not match');
  const reading = {
    ...{ password, confirmed: mac !== null, certificates: [], privateKeys: [] },
    schemes: new Set<string>(),
  };
  for (const info of elementsOf(readBer(safe))) readSafe(info, reading);
  const { certificates, privateKeys, schemes } = reading;
  const encryption = [...(schemes.size > 0 ? schemes : ['no encryption']), mac?.scheme ?? 'no MAC'].join(
    '; ',
  );
  return { certificates, privateKeys, encryption };
}

function readSafe(info: BerElement, reading: Reading): void {
  const [type, content] = elementsOf(info);
  const oid = oidOf(type);
  const inner = explicit(content, 0);
  if (oid === pkcs12Types.data) return readBags(octetsOf(inner), reading, 0);
  if (oid !== pkcs12Types.encryptedData)
    throw new Pkcs12Error('has a part that is encrypted for a public key, which is not supported');
  const [, encrypted] = elementsOf(inner);
  const [, algorithm, ciphertext] = elementsOf(encrypted);
  if (ciphertext === undefined || !isTagged(ciphertext, 0)) throw new BerError('no encrypted contents');
  const contents = decrypt(algorithm, contentsOf(ciphertext), reading);
  try {
    readBags(contents, reading, 0);
  } catch (error) {
    // A wrong password can produce right padding by chance.
    if (error instanceof BerError && !reading.confirmed) throw wrongPassword(error);
    throw error;
  }
}

function wrongPassword(cause: unknown): WrongPasswordError {
  return new WrongPasswordError('needs another password, or is damaged', cause);
}

function decrypt(algorithm: BerElement | undefined, ciphertext: Uint8Array, reading: Reading): Buffer {
  const decryption = decryptionOf(algorithm, reading.password);
  reading.schemes.add(decryption.scheme);
  try {
    return decryption.decrypt(ciphertext);
  } catch (cause) {
    if (!reading.confirmed) throw wrongPassword(cause);
    throw new Pkcs12Error(
      'has a part that its password does not decrypt: another password is set on it',
      cause,
    );
  }
}

/** Nested SafeContents beyond this are no key store. */
const maxDepth = 4;

function readBags(safeContents: Uint8Array, reading: Reading, depth: number): void {
  for (const bag of elementsOf(readBer(safeContents))) readBag(bag, reading, depth);
}

function readBag(bag: BerElement, reading: Reading, depth: number): void {
  const [type, content, attributes] = elementsOf(bag);
  const value = explicit(content, 0);
  switch (oidOf(type)) {
    case pkcs12Types.keyBag:
      reading.schemes.add('a key without encryption');
      return addKey(toDer(value), attributes, reading);
    case pkcs12Types.shroudedKeyBag: {
      const [algorithm, ciphertext] = elementsOf(value);
      return addKey(decrypt(algorithm, octetsOf(ciphertext), reading), attributes, reading);
    }
    case pkcs12Types.certBag: {
      const [certificateType, certificate] = elementsOf(value);
      if (oidOf(certificateType) === pkcs12Types.x509Certificate)
        reading.certificates.push(octetsOf(explicit(certificate, 0)));
      return;
    }
    case pkcs12Types.safeContentsBag:
      if (depth === maxDepth) throw new BerError('bags nested too deeply');
      return readBags(toDer(value), reading, depth + 1);
    default:
    // CRLs, secrets and bags of later versions.
  }
}

function addKey(pkcs8: Buffer, attributes: BerElement | undefined, reading: Reading): void {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' });
  } catch (cause) {
    throw reading.confirmed
      ? new Pkcs12Error('has a private key that cannot be read', cause)
      : wrongPassword(cause);
  } finally {
    pkcs8.fill(0);
  }
  reading.privateKeys.push({ key, ...namesIn(attributes) });
}

function namesIn(attributes: BerElement | undefined): Omit<Pkcs12PrivateKey, 'key'> {
  const found: { localKeyId?: string; name?: string } = {};
  for (const attribute of attributes === undefined ? [] : elementsOf(attributes)) {
    const [type, values] = elementsOf(attribute);
    const [value] = elementsOf(values);
    if (oidOf(type) === pkcs12Types.localKeyId) found.localKeyId = octetsOf(value).toString('hex');
    if (oidOf(type) === pkcs12Types.friendlyName) found.name = bmpTextOf(value) ?? '';
  }
  return found;
}
