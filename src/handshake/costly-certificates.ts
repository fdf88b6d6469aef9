/**
 * Finds certificates that are costly to verify in a client's Certificate message. OpenSSL verifies every signature of the
 * chain before Node can intervene, and a chosen key can make one signature a hundred times as costly.
 */
import { DerCursor, tags } from '../pki/der-cursor.ts';

/** The leaf and three CAs. */
const MAX_CERTIFICATES = 4;
/** Of all certificates above the leaf: each of their name constraints is compared with each name below it. */
const MAX_CA_BYTES = 8 * 1024;
const MAX_MODULUS_BYTES = 1024;
const MAX_EXPONENT_BYTES = 4;

const RSA = ['1.2.840.113549.1.1.1', '1.2.840.113549.1.1.10'].map(oidOf);
const EC = oidOf('1.2.840.10045.2.1');
/** P-256, P-384, P-521 (RFC 5480 §2.1.1.1). */
const CURVES = ['1.2.840.10045.3.1.7', '1.3.132.0.34', '1.3.132.0.35'].map(oidOf);
/** Ed25519 and Ed448 (RFC 8410 §3). */
const EDWARDS = ['1.3.101.112', '1.3.101.113'].map(oidOf);

/**
 * Checks the body of a Certificate message (RFC 8446 §4.4.2, RFC 5246 §7.4.6). Returns what is costly, for the operator;
 * null: nothing, or a malformed message, which OpenSSL rejects at no cost.
 */
export function findCostlyCertificate(body: Buffer, { tls13 }: { readonly tls13: boolean }): string | null {
  const certificates = readList(body, tls13);
  if (certificates === null) return null;
  if (certificates.length > MAX_CERTIFICATES)
    return `${certificates.length} certificates (at most ${MAX_CERTIFICATES}: its own and three CAs)`;
  const caBytes = certificates.slice(1).reduce((sum, { length }) => sum + length, 0);
  if (caBytes > MAX_CA_BYTES) return `CA certificates of ${caBytes} bytes together (at most ${MAX_CA_BYTES})`;
  for (const [index, der] of certificates.entries()) {
    const problem = findCostlyKey(der);
    if (problem !== null)
      return `${problem} in its certificate number ${index + 1} of ${certificates.length}`;
  }
  return null;
}

function readList(body: Buffer, tls13: boolean): Buffer[] | null {
  let at = tls13 ? 1 + (body[0] ?? 0) : 0;
  if (at + 3 > body.length || at + 3 + body.readUIntBE(at, 3) !== body.length) return null;
  at += 3;
  const certificates: Buffer[] = [];
  while (at < body.length) {
    if (at + 3 > body.length) return null;
    const end = at + 3 + body.readUIntBE(at, 3);
    if (end + (tls13 ? 2 : 0) > body.length) return null;
    certificates.push(body.subarray(at + 3, end));
    at = tls13 ? end + 2 + body.readUInt16BE(end) : end;
  }
  return at === body.length ? certificates : null;
}

function findCostlyKey(der: Buffer): string | null {
  try {
    return checkPublicKey(publicKeyOf(der));
  } catch {
    // OpenSSL parses some encodings that are not DER: such a certificate could contain any key.
    return 'content that cannot be parsed as DER';
  }
}

/** The SubjectPublicKeyInfo of a certificate (RFC 5280 §4.1). */
function publicKeyOf(der: Buffer): Uint8Array {
  const cursor = new DerCursor(der);
  cursor.open(der.length, tags.sequence);
  cursor.open(cursor.end, tags.sequence);
  const { end } = cursor;
  if (cursor.peek(end) === 0xa0) cursor.read(end);
  cursor.read(end, tags.integer);
  // Signature algorithm, issuer, validity, subject.
  for (let field = 0; field < 4; field++) cursor.read(end, tags.sequence);
  return cursor.element(end, tags.sequence);
}

function checkPublicKey(info: Uint8Array): string | null {
  const cursor = new DerCursor(info);
  cursor.open(info.length, tags.sequence);
  const { end } = cursor;
  const algorithm = new DerCursor(cursor.element(end, tags.sequence));
  algorithm.open(algorithm.bytes.length, tags.sequence);
  const algorithmEnd = algorithm.end;
  const oid = algorithm.element(algorithmEnd, tags.oid);
  cursor.read(end, tags.bitString);
  if (RSA.some((each) => each.equals(oid))) return checkRsaKey(info.subarray(cursor.start + 1, cursor.end));
  if (EDWARDS.some((each) => each.equals(oid))) return null;
  if (!EC.equals(oid)) return 'a key that is neither RSA, EC, Ed25519 nor Ed448';
  // With explicit parameters OpenSSL would compute on a curve that the client chose.
  if (algorithm.peek(algorithmEnd) !== tags.oid) return 'an EC key with explicit curve parameters';
  const curve = algorithm.element(algorithmEnd, tags.oid);
  return CURVES.some((each) => each.equals(curve))
    ? null
    : 'an EC key on a curve other than P-256, P-384, P-521';
}

function checkRsaKey(key: Uint8Array): string | null {
  const cursor = new DerCursor(key);
  cursor.open(key.length, tags.sequence);
  const { end } = cursor;
  const length = () => {
    cursor.read(end, tags.integer);
    // A leading zero octet keeps the integer positive where the first bit is set.
    return cursor.end - cursor.start - (key[cursor.start] === 0 ? 1 : 0);
  };
  if (length() > MAX_MODULUS_BYTES) return `an RSA key of more than ${MAX_MODULUS_BYTES * 8} bits`;
  return length() > MAX_EXPONENT_BYTES ? `an RSA exponent of more than ${MAX_EXPONENT_BYTES * 8} bits` : null;
}

/** The DER element of an object identifier. */
function oidOf(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const octets = [first * 40 + second, ...rest].flatMap((arc) => {
    const digits = [arc & 0x7f];
    for (let left = arc >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
    return digits;
  });
  return Buffer.from([tags.oid, octets.length, ...octets]);
}
