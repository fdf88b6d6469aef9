/** Reads one public key of a set (RFC 7517 §4) strictly, and its certificate where it states one. */
import { createPublicKey, type JsonWebKeyInput } from 'node:crypto';
import { type Certificate, parseCertificate } from '../pki/certificate.ts';
import { isKeyType, type KeyType, membersOf, publicMembersOf, thumbprintOf } from './thumbprint.ts';

/** A public key of a JWK Set, checked. Plain data: it crosses the thread border. */
export interface PublicJwk {
  readonly kid: string | null;
  /** The only algorithm that the key may be used with; null: any that fits the key. */
  readonly alg: string | null;
  /** Whether `use` and `key_ops` permit the verification of signatures. */
  readonly verifies: boolean;
  /** Public members only (kty, n, e | crv, x, y). */
  readonly jwk: Readonly<Record<string, string>>;
  /** RFC 7638, base64url SHA-256. */
  readonly thumbprint: string;
  /** Base64url SHA-256 of the DER of x5c[0]; null without x5c. */
  readonly certificate: string | null;
}

export type KeyReading =
  | { readonly ok: true; readonly key: PublicJwk }
  /** Why the key is skipped; never repeats the input. */
  | { readonly ok: false; readonly why: string };

export type Members = Readonly<Record<string, unknown>>;

/** Characters of a `kid`: a record and a log line show it. */
const MAX_KID = 256;
/** The longest name of IANA's registry has 18 characters. */
const MAX_ALG = 64;
const MIN_RSA_BITS = 2048;
/** Each verification with a larger key costs more than a handshake. */
const MAX_RSA_BITS = 8192;

/** Octets of one coordinate by curve (RFC 7518 §6.2.1.2, RFC 8037 §2). */
const curves: Readonly<Record<string, { readonly kty: KeyType; readonly octets: number }>> = {
  'P-256': { kty: 'EC', octets: 32 },
  'P-384': { kty: 'EC', octets: 48 },
  'P-521': { kty: 'EC', octets: 66 },
  Ed25519: { kty: 'OKP', octets: 32 },
};

/** The name of the key, if it can be shown. */
export function kidOf({ kid }: Members): string | null {
  return typeof kid === 'string' && kid !== '' && kid.length <= MAX_KID ? kid : null;
}

/** `key`: without private members, which key-set.ts refuses. */
export function readPublicKey(key: Members): KeyReading {
  const { kty, kid, alg, x5c } = key;
  const skip = (why: string): KeyReading => ({ ok: false, why });
  if (!isKeyType(kty)) return skip('its type (kty) is none of RSA, EC and OKP');
  if (kid !== undefined && kidOf(key) === null)
    return skip(`its kid is no text of 1 to ${MAX_KID} characters`);
  if (alg !== undefined && (typeof alg !== 'string' || alg.length > MAX_ALG))
    return skip(`its alg is no text of at most ${MAX_ALG} characters`);
  const uses = readUses(key);
  if (uses === null) return skip('its use or key_ops is of the wrong type');
  const chain = x5c === undefined ? null : readLeaf(x5c);
  if (typeof chain === 'string') return skip(chain);
  const stated = membersOf(kty).filter((name) => name !== 'kty' && key[name] !== undefined);
  const fromCertificate = chain && publicMembersOf(chain.x509.publicKey);
  // A keystore may state the certificate alone; its key is then that of the certificate.
  const jwk = stated.length === 0 && fromCertificate !== null ? fromCertificate : readMembers(key, kty);
  if (typeof jwk === 'string') return skip(jwk);
  const fault = jwk.kty === kty ? findFault(jwk) : 'its kty is not that of its certificate';
  if (fault !== null) return skip(fault);
  const thumbprint = thumbprintOf(jwk);
  const mismatch = chain && findMismatch(key, { chain, fromCertificate, thumbprint });
  if (mismatch !== null) return skip(mismatch);
  const certificate = chain?.thumbprint ?? null;
  return {
    ok: true,
    key: { kid: kidOf(key), alg: alg ?? null, verifies: uses.verifies, jwk, thumbprint, certificate },
  };
}

/** null: of the wrong type. RFC 7517 §4.2, §4.3. */
function readUses({ use, key_ops: operations }: Members): { readonly verifies: boolean } | null {
  if (use !== undefined && typeof use !== 'string') return null;
  if (operations !== undefined && !Array.isArray(operations)) return null;
  return {
    verifies:
      (use === undefined || use === 'sig') && (operations === undefined || operations.includes('verify')),
  };
}

/** The first certificate of `x5c`, or what is wrong with the list. */
function readLeaf(x5c: unknown): Certificate | string {
  if (!Array.isArray(x5c) || x5c.length === 0) return 'its x5c is no list of certificates';
  const [leaf] = x5c.map((text) => decode(text, 'base64'));
  if (leaf === undefined || leaf === null) return 'its x5c[0] is not Base64';
  try {
    return parseCertificate(leaf);
  } catch {
    return 'its x5c[0] is no certificate that can be read';
  }
}

/** The stated members; a text says which one is wrong. */
function readMembers(key: Members, kty: KeyType): Readonly<Record<string, string>> | string {
  const members: Record<string, string> = { kty };
  for (const name of membersOf(kty)) {
    const value = key[name];
    if (name === 'kty') continue;
    if (typeof value !== 'string') return `its ${name} is missing or no text`;
    if (name !== 'crv' && decode(value, 'base64url') === null) return `its ${name} is not Base64url`;
    members[name] = value;
  }
  return members;
}

/** Node’s decoder ignores what does not belong to the encoding, so that the bytes must encode to the same text again. */
function decode(text: unknown, encoding: 'base64' | 'base64url'): Buffer | null {
  if (typeof text !== 'string' || text === '') return null;
  const bytes = Buffer.from(text, encoding);
  return bytes.length > 0 && bytes.toString(encoding) === text ? bytes : null;
}

/** Why the key itself cannot be used; null: it can. */
function findFault(jwk: Readonly<Record<string, string>>): string | null {
  const fault = jwk.kty === 'RSA' ? findRsaFault(jwk) : findCurveFault(jwk);
  if (fault !== null) return fault;
  try {
    // Refuses a point that is not on its curve.
    createPublicKey({ key: jwk as JsonWebKeyInput['key'], format: 'jwk' });
    return null;
  } catch {
    return 'its values are no key';
  }
}

function findRsaFault({ n = '', e = '' }: Readonly<Record<string, string>>): string | null {
  const [modulus, exponent] = [Buffer.from(n, 'base64url'), Buffer.from(e, 'base64url')];
  // RFC 7518 §6.3.1: the fewest octets. Another spelling of the same key would have another thumbprint.
  if (modulus[0] === 0 || exponent[0] === 0) return 'its n or e begins with a zero octet (RFC 7518 §6.3.1)';
  const bits = modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  if (bits < MIN_RSA_BITS) return `it is an RSA key of ${bits} bits, fewer than ${MIN_RSA_BITS}`;
  if (bits > MAX_RSA_BITS) return `it is an RSA key of ${bits} bits, more than ${MAX_RSA_BITS}`;
  // With e = 1 every message is its own signature.
  const isOdd = ((exponent.at(-1) ?? 0) & 1) === 1;
  if (!isOdd || exponent.length > 8 || (exponent.length === 1 && exponent[0] === 1))
    return 'its exponent (e) is not odd, from 3 and below 2^64';
  return ((modulus.at(-1) ?? 0) & 1) === 1 ? null : 'its modulus (n) is even';
}

function findCurveFault({ kty, crv = '', x = '', y }: Readonly<Record<string, string>>): string | null {
  const curve = Object.hasOwn(curves, crv) ? curves[crv] : undefined;
  if (curve === undefined || curve.kty !== kty)
    return 'its curve (crv) is none of P-256, P-384, P-521 and Ed25519';
  const hasLength = (value: string) => Buffer.from(value, 'base64url').length === curve.octets;
  return hasLength(x) && (y === undefined || hasLength(y))
    ? null
    : `its coordinates are not ${curve.octets} octets long`;
}

/** What the certificate contradicts: which of the two the set means cannot be known. */
function findMismatch(
  key: Members,
  facts: {
    readonly chain: Certificate;
    readonly fromCertificate: Readonly<Record<string, string>> | null;
    readonly thumbprint: string;
  },
): string | null {
  const { chain, fromCertificate, thumbprint } = facts;
  if (fromCertificate === null || thumbprintOf(fromCertificate) !== thumbprint)
    return 'its key is not that of its certificate (x5c[0])';
  const stated = key['x5t#S256'];
  return stated === undefined || stated === chain.thumbprint
    ? null
    : 'its x5t#S256 is not that of its certificate (x5c[0])';
}
