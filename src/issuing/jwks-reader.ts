/** Reads the certificates of a JSON Web Key Set, and checks that each key is that of its certificate. */
import { GatewayError, UsageError } from '../errors.ts';
import { type Certificate, parseCertificate } from '../pki/certificate.ts';
import { describeFile } from '../pki/file-kind.ts';
import { isIssuedBy } from '../pki/issued.ts';
import { printable } from '../terminal/printable.ts';
import { parametersOf } from './jwks.ts';

export interface JwksEntry {
  /** null: absent, as the following. */
  readonly kid: string | null;
  readonly use: string | null;
  readonly alg: string | null;
  /** The certificate of the key, then its chain. */
  readonly certificates: readonly [Certificate, ...Certificate[]];
}

type Members = Readonly<Record<string, unknown>>;

/** Members that only a private or a secret key has (RFC 7518 §6). */
const secretMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k'] as const;

/** `file`: for errors. Throws UsageError, which names the member and never a private value. */
export function readJwks(bytes: Uint8Array, file: string): JwksEntry[] {
  const text = Buffer.from(bytes).toString('utf8');
  const at = printable(file);
  const { keys } = objectIn(parse(text, bytes, at), at);
  if (!Array.isArray(keys) || keys.length === 0)
    throw new UsageError(
      `${at}: found no array "keys" with at least one key; allowed a JSON Web Key Set (RFC 7517 §5)`,
    );
  const entries = keys.map((key, index) =>
    readKey(objectIn(key, `${at}: keys[${index}]`), `${at}: keys[${index}]`),
  );
  for (const [index, { kid }] of entries.entries()) {
    const earlier = entries.findIndex((each) => each.kid === kid);
    if (kid !== null && earlier !== index)
      throw new UsageError(
        `${at}: keys[${index}].kid: found the kid of keys[${earlier}]; allowed a kid of its own`,
      );
  }
  return entries;
}

function parse(text: string, bytes: Uint8Array, at: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const kind = describeFile(bytes);
    // The message of JSON.parse repeats a part of the input, which may be a private key.
    throw new UsageError(
      `${at}: found ${kind ?? 'text that is not JSON'}; allowed a JSON Web Key Set`,
      cause,
    );
  }
}

function objectIn(value: unknown, at: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new UsageError(
      `${at}: found ${Array.isArray(value) ? 'a list' : value === null ? 'null' : typeof value}; allowed an object`,
    );
  return value as Members;
}

function readKey(key: Members, at: string): JwksEntry {
  const secret = secretMembers.find((each) => each in key);
  if (secret !== undefined)
    throw new UsageError(
      `${at}.${secret}: found a private key; allowed public keys only: remove it, and replace the key`,
    );
  const certificates = readChain(key.x5c, `${at}.x5c`);
  const [certificate] = certificates;
  compare(key, certificate, at);
  const textOf = (name: string): string | null => {
    const value = key[name];
    if (value !== undefined && typeof value !== 'string')
      throw new UsageError(`${at}.${name}: found ${typeof value}; allowed a string`);
    return value ?? null;
  };
  return { kid: textOf('kid'), use: textOf('use'), alg: textOf('alg'), certificates };
}

function readChain(x5c: unknown, at: string): [Certificate, ...Certificate[]] {
  if (!Array.isArray(x5c) || x5c.length === 0)
    throw new UsageError(
      `${at}: found ${x5c === undefined ? 'nothing' : 'no list of certificates'}; allowed the certificate in Base64: a key alone has none`,
    );
  const certificates = x5c.map((value, index) => readCertificate(value, `${at}[${index}]`));
  for (const [index, child] of certificates.entries()) {
    const parent = certificates[index + 1];
    if (parent !== undefined && !isIssuedBy(child, parent))
      throw new UsageError(
        `${at}[${index + 1}]: found a certificate that did not issue x5c[${index}]; allowed its issuer (RFC 7517 §4.7)`,
      );
  }
  return certificates as [Certificate, ...Certificate[]];
}

function readCertificate(value: unknown, at: string): Certificate {
  const der = typeof value === 'string' ? Buffer.from(value, 'base64') : Buffer.alloc(0);
  // Node's decoder ignores what is not Base64, so that the bytes must encode to the same text again.
  if (der.length === 0 || der.toString('base64') !== value)
    throw new UsageError(`${at}: found text that is not Base64; allowed DER in Base64, not Base64url`);
  try {
    return parseCertificate(der);
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw new UsageError(`${at}: ${error.message}`, error);
  }
}

/** Every stated value of the key must be that of the certificate; kty and the key itself must be stated. */
function compare(key: Members, certificate: Certificate, at: string): void {
  const type = certificate.key.type;
  if (type === 'other')
    throw new UsageError(`${at}.x5c[0]: found a key of type ${certificate.key.name}; allowed RSA and EC`);
  for (const [name, value] of Object.entries(parametersOf(certificate))) {
    if (key[name] !== value)
      throw new UsageError(
        `${at}.${name}: found ${key[name] === undefined ? 'nothing' : 'another value than that of the certificate in x5c[0]'}; allowed the same key in both`,
      );
  }
  const thumbprint = key['x5t#S256'];
  if (thumbprint !== undefined && thumbprint !== certificate.thumbprint)
    throw new UsageError(
      `${at}["x5t#S256"]: found another thumbprint than that of x5c[0]; allowed ${certificate.thumbprint}`,
    );
}
