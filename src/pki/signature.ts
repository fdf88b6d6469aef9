/** Which hash a certificate is signed with, from its signature algorithm and back. */
import { AsnConvert, AsnProp, AsnPropTypes, AsnType, AsnTypeTypes } from '@peculiar/asn1-schema';
import { AlgorithmIdentifier } from '@peculiar/asn1-x509';

/** `none`: the scheme takes the message itself (Ed25519); `unknown`: to be refused. */
export type SignatureHash = 'md5' | 'sha1' | 'sha256' | 'sha384' | 'sha512' | 'none' | 'unknown';
export type NamedHash = Exclude<SignatureHash, 'none' | 'unknown'>;

const rsaPss = '1.2.840.113549.1.1.10';
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

/** RSASSA-PSS-params (RFC 4055 §3.1): an absent hash means SHA-1. */
class PssParameters {
  hashAlgorithm = new AlgorithmIdentifier({ algorithm: hashes.sha1 });
  maskGenAlgorithm?: AlgorithmIdentifier;
  saltLength?: number;
  trailerField?: number;
}
// The decorators as plain calls: decorator syntax does not survive type stripping.
AsnType({ type: AsnTypeTypes.Sequence })(PssParameters);
AsnProp({ type: AlgorithmIdentifier, context: 0, optional: true })(PssParameters.prototype, 'hashAlgorithm');
AsnProp({ type: AlgorithmIdentifier, context: 1, optional: true })(
  PssParameters.prototype,
  'maskGenAlgorithm',
);
AsnProp({ type: AsnPropTypes.Integer, context: 2, optional: true })(PssParameters.prototype, 'saltLength');
AsnProp({ type: AsnPropTypes.Integer, context: 3, optional: true })(PssParameters.prototype, 'trailerField');

export function signatureHashOf({ algorithm, parameters }: AlgorithmIdentifier): SignatureHash {
  if (algorithm !== rsaPss) return hashOfSignature.get(algorithm) ?? 'unknown';
  if (!parameters) return 'unknown';
  return hashOfOid.get(AsnConvert.parse(parameters, PssParameters).hashAlgorithm.algorithm) ?? 'unknown';
}

/** RSASSA-PSS with the same hash for the message and MGF1, and a salt as long as the hash. */
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
