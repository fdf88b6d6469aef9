/** Signature algorithms: the hash of an algorithm identifier, and the algorithm identifier of a hash. */
import { AsnConvert, AsnProp, AsnPropTypes, AsnType, AsnTypeTypes } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';
import { DerCursor, DerError, formatOid, tags } from './der-cursor.ts';

/** `none`: the scheme signs the message itself (Ed25519); `unknown`: must be refused. */
export type SignatureHash = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512' | 'none' | 'unknown';
export type NamedHash = Exclude<SignatureHash, 'none' | 'unknown'>;

/** An AlgorithmIdentifier (RFC 5280 §4.1.1.2). */
export interface Algorithm {
  readonly oid: string;
  /** DER; null: absent. */
  readonly parameters: Uint8Array | null;
}

export const rsaPss = '1.2.840.113549.1.1.10';
const mgf1 = '1.2.840.113549.1.1.8';

/** Key type → hash → OID of the signature algorithm. */
export const signatureAlgorithms = {
  rsa: {
    md5: '1.2.840.113549.1.1.4',
    sha1: '1.2.840.113549.1.1.5',
    sha256: '1.2.840.113549.1.1.11',
    sha384: '1.2.840.113549.1.1.12',
    sha512: '1.2.840.113549.1.1.13',
  },
  ec: {
    sha1: '1.2.840.10045.4.1',
    sha256: '1.2.840.10045.4.3.2',
    sha384: '1.2.840.10045.4.3.3',
    sha512: '1.2.840.10045.4.3.4',
  },
  dsa: { sha1: '1.2.840.10040.4.3', sha256: '2.16.840.1.101.3.4.3.2' },
  ed25519: { none: '1.3.101.112' },
  ed448: { none: '1.3.101.113' },
} as const satisfies Record<string, Partial<Record<SignatureHash, string>>>;

const hashes: Readonly<Record<NamedHash, string>> = {
  md5: '1.2.840.113549.2.5',
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};

const hashOfSignature = invert(
  Object.values(signatureAlgorithms).flatMap((byHash) => Object.entries(byHash)),
);
const hashOfOid = invert(Object.entries(hashes));

function invert(entries: [string, string][]): ReadonlyMap<string, SignatureHash> {
  return new Map(entries.map(([hash, oid]) => [oid, hash as SignatureHash]));
}

/** RSASSA-PSS-params (RFC 4055 §3.1), for encoding. */
class PssParameters {
  hashAlgorithm = new AlgorithmIdentifier({ algorithm: hashes.sha1 });
  maskGenAlgorithm?: AlgorithmIdentifier;
  saltLength?: number;
  trailerField?: number;
}
// Decorators as plain calls: type stripping does not support decorator syntax.
AsnType({ type: AsnTypeTypes.Sequence })(PssParameters);
AsnProp({ type: AlgorithmIdentifier, context: 0, optional: true })(PssParameters.prototype, 'hashAlgorithm');
AsnProp({ type: AlgorithmIdentifier, context: 1, optional: true })(
  PssParameters.prototype,
  'maskGenAlgorithm',
);
AsnProp({ type: AsnPropTypes.Integer, context: 2, optional: true })(PssParameters.prototype, 'saltLength');
AsnProp({ type: AsnPropTypes.Integer, context: 3, optional: true })(PssParameters.prototype, 'trailerField');

/** `der`: an AlgorithmIdentifier. Throws DerError. */
export function readAlgorithm(der: Uint8Array): Algorithm {
  const cursor = new DerCursor(der);
  cursor.open(der.length, tags.sequence);
  cursor.read(der.length, tags.oid);
  const oid = formatOid(cursor.contents());
  const parameters = cursor.at < der.length ? cursor.element(der.length) : null;
  cursor.close(der.length);
  return { oid, parameters };
}

/** `unknown` also for parameters that cannot be read. */
export function signatureHashOf({ oid, parameters }: Algorithm): SignatureHash {
  if (oid !== rsaPss) return hashOfSignature.get(oid) ?? 'unknown';
  return parameters === null ? 'unknown' : (readPss(parameters)?.hash ?? 'unknown');
}

export interface Pss {
  readonly hash: SignatureHash;
  /** Of the mask generation function MGF1. */
  readonly maskHash: SignatureHash;
  readonly saltLength: number;
}

/** Decodes RSASSA-PSS-params (RFC 4055 §3.1); defaults are SHA-1 and 20 octets of salt. null: unreadable. */
export function readPss(parameters: Uint8Array): Pss | null {
  try {
    return readPssFields(parameters);
  } catch {
    return null;
  }
}

function readPssFields(parameters: Uint8Array): Pss {
  const cursor = new DerCursor(parameters);
  cursor.open(parameters.length, tags.sequence);
  const { end } = cursor;
  const field = (tag: number): Uint8Array | null => {
    if (cursor.peek(end) !== tag) return null;
    cursor.read(end, tag);
    return cursor.contents();
  };
  const [hash, mask, salt, trailer] = [field(0xa0), field(0xa1), field(0xa2), field(0xa3)];
  cursor.close(parameters.length);
  if (trailer !== null && numberIn(trailer) !== 1) throw new DerError('an unknown trailer field');
  return {
    hash: hash === null ? 'sha1' : hashNamed(readAlgorithm(hash).oid),
    maskHash: mask === null ? 'sha1' : maskHashOf(readAlgorithm(mask)),
    saltLength: salt === null ? 20 : numberIn(salt),
  };
}

function maskHashOf({ oid, parameters }: Algorithm): SignatureHash {
  return oid === mgf1 && parameters !== null ? hashNamed(readAlgorithm(parameters).oid) : 'unknown';
}

function hashNamed(oid: string): SignatureHash {
  return hashOfOid.get(oid) ?? 'unknown';
}

/** `der`: an INTEGER of at most two octets. */
function numberIn(der: Uint8Array): number {
  const cursor = new DerCursor(der);
  cursor.readInteger(der.length);
  cursor.close(der.length);
  const octets = cursor.contents();
  if (octets.length > 2 || (octets[0] as number) >= 0x80) throw new DerError('a number out of range');
  return octets.reduce((number, octet) => number * 256 + octet, 0);
}

/** RSASSA-PSS with the same hash for message and MGF1, and a salt of the length of the hash. */
export function pssAlgorithm(hash: NamedHash): AlgorithmIdentifier {
  const hashAlgorithm = new AlgorithmIdentifier({ algorithm: hashes[hash], parameters: null });
  const parameters = Object.assign(new PssParameters(), {
    hashAlgorithm,
    maskGenAlgorithm: new AlgorithmIdentifier({
      algorithm: mgf1,
      parameters: AsnConvert.serialize(hashAlgorithm),
    }),
    saltLength: { md5: 16, sha1: 20, sha256: 32, sha384: 48, sha512: 64 }[hash],
  });
  return new AlgorithmIdentifier({ algorithm: rsaPss, parameters: AsnConvert.serialize(parameters) });
}
