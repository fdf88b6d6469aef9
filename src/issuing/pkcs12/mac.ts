/** The MAC of a PKCS#12 file: HMAC with the key derivation of PKCS#12 (RFC 7292 §4), or PBMAC1 (RFC 9579). */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { type BerElement, BerError, elementsOf, integerOf, octetsOf, oidOf } from './ber.ts';
import { pkcs12Key } from './key-derivation.ts';
import { hmacs, limited, readPbkdf2, UnsupportedScheme } from './password-decryption.ts';

interface Mac {
  /** For people. */
  readonly scheme: string;
  /** Whether the password is right and `contents` unchanged. */
  confirms(contents: Uint8Array): boolean;
}

const pbmac1 = '1.2.840.113549.1.5.14';

/** OID of the hash → its name, and the octets of its output. */
const hashes = {
  '1.3.14.3.2.26': ['sha1', 20],
  '2.16.840.1.101.3.4.2.1': ['sha256', 32],
  '2.16.840.1.101.3.4.2.2': ['sha384', 48],
  '2.16.840.1.101.3.4.2.3': ['sha512', 64],
} as const;

/** `macData`: MacData; `password`: null if there is none. Throws UnsupportedScheme, or BerError if it is malformed. */
export function readMac(macData: BerElement, password: string | null): Mac {
  const [digestInfo, saltElement, iterationsElement] = elementsOf(macData);
  const [algorithm, digest] = elementsOf(digestInfo);
  const [oidElement, parameters] = elementsOf(algorithm);
  const oid = oidOf(oidElement);
  const expected = octetsOf(digest);
  if (oid === pbmac1) return readPbmac1(parameters, { password: password ?? '', expected });
  const found = hashes[oid as keyof typeof hashes];
  if (found === undefined) throw new UnsupportedScheme(`a MAC with the OID ${oid}`);
  const [hash, length] = found;
  const salt = octetsOf(saltElement);
  const iterations = limited(iterationsElement === undefined ? 1 : integerOf(iterationsElement), 'pkcs12');
  return {
    scheme: `MAC HMAC-${hash.replace('sha', 'SHA-')} with the key derivation of PKCS#12 (${iterations} iterations)`,
    confirms(contents) {
      const key = pkcs12Key({ password, salt, id: 3, iterations, length, hash });
      return isMac({ hash, key, contents, expected });
    },
  };
}

/** Salt and iterations of MacData are not used (RFC 9579 §4): the parameters have their own. */
function readPbmac1(
  parameters: BerElement | undefined,
  { password, expected }: { readonly password: string; readonly expected: Buffer },
): Mac {
  const [derivation, scheme] = elementsOf(parameters);
  const oid = oidOf(elementsOf(scheme)[0]);
  const hash = hmacs[oid];
  if (hash === undefined) throw new UnsupportedScheme(`a MAC with the OID ${oid}`);
  const length = keyLengthOf(derivation);
  const { description, key } = readPbkdf2(derivation, password, length);
  return {
    scheme: `MAC PBMAC1 HMAC-${hash.replace('sha', 'SHA-')} with ${description}`,
    confirms: (contents) => isMac({ hash, key: key(), contents, expected }),
  };
}

/** PBMAC1 must state it, at least 20 octets (RFC 9579 §4, §6). */
function keyLengthOf(derivation: BerElement | undefined): number {
  const [, parameters] = elementsOf(derivation);
  const length = integerOf(elementsOf(parameters)[2]);
  if (length < 20 || length > 256) throw new BerError('a length of the MAC key that is not allowed');
  return length;
}

function isMac(options: {
  readonly hash: string;
  readonly key: Buffer;
  readonly contents: Uint8Array;
  readonly expected: Buffer;
}): boolean {
  const { hash, key, contents, expected } = options;
  const actual = createHmac(hash, key).update(contents).digest();
  return actual.length === expected.length && timingSafeEqual(actual, expected);
}
