/** Certificates as a JSON Web Key Set (RFC 7517), as Raidiam's directory and Transmit Mosaic register them (RFC 8705 §2.2). */
import { UsageError } from '../errors.ts';
import { thumbprintOf } from '../jose/thumbprint.ts';
import type { Certificate } from '../pki/certificate.ts';
import { isIssuedBy } from '../pki/issued.ts';
import { weakKey } from '../pki/strength.ts';
import { printable } from '../terminal/printable.ts';
import { chainOf } from './chain.ts';

export type JwkUse = 'sig' | 'enc';

/** A public key with its certificate; `x5c` has the certificate first, then its chain (RFC 7517 §4.7). */
export interface Jwk {
  readonly kid: string;
  readonly kty: 'RSA' | 'EC';
  readonly use: JwkUse;
  readonly alg: string;
  readonly n?: string;
  readonly e?: string;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly x5c: readonly string[];
  readonly 'x5t#S256': string;
}

export interface Jwks {
  readonly keys: readonly Jwk[];
}

/** Algorithms of RFC 7518 by use and kind of key; the first is the default. */
const algorithms: Readonly<Record<JwkUse, Readonly<Record<string, readonly string[]>>>> = {
  sig: {
    RSA: ['RS256', 'PS256', 'RS384', 'PS384', 'RS512', 'PS512'],
    'P-256': ['ES256'],
    'P-384': ['ES384'],
    'P-521': ['ES512'],
  },
  enc: {
    RSA: ['RSA-OAEP-256', 'RSA-OAEP', 'RSA-OAEP-384', 'RSA-OAEP-512'],
    'P-256': ['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A192KW', 'ECDH-ES+A256KW'],
    'P-384': ['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A192KW', 'ECDH-ES+A256KW'],
    'P-521': ['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A192KW', 'ECDH-ES+A256KW'],
  },
};

export interface JwkChoices {
  /** Default: by the certificate's key usage. */
  readonly use?: JwkUse | undefined;
  /** Default: by use and kind of key. */
  readonly alg?: string | undefined;
}

export interface CertificateFile {
  readonly file: string;
  readonly certificates: readonly Certificate[];
}

/**
 * One key for each certificate that issued no other of its file; its issuers in the file become its chain.
 * Throws UsageError for a certificate that no JWK can have, and for two certificates with the same key.
 */
export function jwksOf(files: readonly CertificateFile[], choices: JwkChoices = {}): Jwks {
  const keys: Jwk[] = [];
  const sources = new Map<string, string>();
  for (const { file, certificates } of files) {
    for (const certificate of certificates.filter((each) => !isIssuerIn(certificates, each))) {
      const jwk = jwkOf(certificate, { file, choices, chain: chainOf(certificate, certificates).issuers });
      const source = `${printable(file)}: the certificate ${printable(certificate.subject)}`;
      const earlier = sources.get(jwk.kid);
      if (earlier !== undefined)
        throw new UsageError(`${source}: has the same key as ${earlier}; allowed one certificate per key`);
      sources.set(jwk.kid, source);
      keys.push(jwk);
    }
  }
  return { keys };
}

function isIssuerIn(certificates: readonly Certificate[], issuer: Certificate): boolean {
  return certificates.some((each) => each.sha256 !== issuer.sha256 && isIssuedBy(each, issuer));
}

function jwkOf(
  certificate: Certificate,
  options: { readonly file: string; readonly choices: JwkChoices; readonly chain: readonly Certificate[] },
): Jwk {
  const { file, choices, chain } = options;
  const { key } = certificate;
  const kind = key.type === 'rsa' ? 'RSA' : key.type === 'ec' ? key.curve : key.name;
  const use = choices.use ?? useOf(certificate);
  const known = algorithms[use][kind];
  const where = `${printable(file)}: the certificate ${printable(certificate.subject)}`;
  if (known === undefined || weakKey(certificate) !== null)
    throw new UsageError(
      `${where}: found ${weakKey(certificate) ?? `a key of type ${kind}`}; allowed RSA from 2048 bits, P-256, P-384, P-521`,
    );
  const alg = choices.alg ?? (known[0] as string);
  if (!known.includes(alg))
    throw new UsageError(
      `${where}: found alg ${printable(alg)} for use ${use} and ${kind}; allowed ${known.join(', ')}`,
    );
  const parameters = parametersOf(certificate);
  const { kty, ...values } = parameters;
  return {
    // It does not change when the certificate is renewed under the same key.
    kid: thumbprintOf(parameters),
    kty,
    use,
    alg,
    ...values,
    x5c: [certificate, ...chain].map(({ der }) => der.toString('base64')),
    'x5t#S256': certificate.thumbprint,
  };
}

/** A certificate without key usage may be used for both, of which signing (and TLS client authentication) is usual. */
function useOf({ keyUsage }: Certificate): JwkUse {
  if (keyUsage === null || keyUsage.has('digitalSignature') || keyUsage.has('nonRepudiation')) return 'sig';
  const enciphers = (['keyEncipherment', 'dataEncipherment', 'keyAgreement'] as const).some((each) =>
    keyUsage.has(each),
  );
  return enciphers ? 'enc' : 'sig';
}

type KeyParameters = Pick<Jwk, 'kty' | 'n' | 'e' | 'crv' | 'x' | 'y'>;

/** The public key of a certificate whose key is RSA or on a NIST curve. */
export function parametersOf({ x509 }: Certificate): KeyParameters {
  const { kty, n = '', e = '', crv = '', x = '', y = '' } = x509.publicKey.export({ format: 'jwk' });
  return kty === 'RSA' ? { kty, n, e } : { kty: 'EC', crv, x, y };
}
