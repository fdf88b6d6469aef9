/** CA chains that are expensive to verify for OpenSSL: RSA keys with an exponent as long as the modulus. */
import { randomBytes } from 'node:crypto';
import { DerCursor, derElement, tags } from '../../../src/pki/der-cursor.ts';
import { derInteger, derOid, derTime } from '../../../src/pki/der-writer.ts';
import { toPem } from '../../../src/pki/pem.ts';
import type { Leaf } from './authority.ts';
import { authority } from './authority.ts';

const sequence = (...parts: Uint8Array[]) => derElement(tags.sequence, ...parts);
const bitString = (bytes: Uint8Array) => derElement(tags.bitString, Buffer.of(0), bytes);
const nothing = Buffer.of(5, 0);
const sha256WithRsa = sequence(derOid('1.2.840.113549.1.1.11'), nothing);

export interface CostlyChainOptions {
  /** Number of CAs above the leaf. */
  readonly length: number;
  /** Length of the modulus; the exponent is one bit shorter. */
  readonly bits?: number;
  /** Replaces the long exponent. */
  readonly exponent?: bigint;
  /** Additional bytes in the names of the CAs. */
  readonly padding?: number;
}

/** A leaf with its own key, and CAs above it with different names and random signatures. */
export function costlyChain({ length, bits = 3072, exponent, padding = 0 }: CostlyChainOptions): Leaf {
  const stranger = authority({ name: 'Costly 0', key: 'rsa-2048' });
  const leaf = stranger.issueClient();
  const issuer = nameOf(leaf.der);
  const names = [
    issuer,
    ...Array.from({ length }, (_, index) => commonName(`Costly ${index + 1}${'x'.repeat(padding)}`)),
  ];
  const chain = Array.from({ length }, (_, index) =>
    toPem(
      caOf({
        subject: names[index] as Buffer,
        issuer: names[index + 1] as Buffer,
        modulus: odd(bits),
        exponent: exponent ?? odd(bits - 1),
      }),
    ),
  );
  const own = leaf.chainPem.slice(0, leaf.chainPem.indexOf('-----END CERTIFICATE-----\n') + 26);
  return { ...leaf, chainPem: own + chain.join('') };
}

interface CaOptions {
  readonly subject: Buffer;
  readonly issuer: Buffer;
  readonly modulus: bigint;
  readonly exponent: bigint;
}

function caOf({ subject, issuer, modulus, exponent }: CaOptions): Buffer {
  const now = Date.now();
  const key = sequence(derInteger(modulus), derInteger(exponent));
  const tbs = sequence(
    derElement(0xa0, derInteger(2)),
    derInteger(1),
    sha256WithRsa,
    issuer,
    sequence(derTime(now - 86_400_000), derTime(now + 86_400_000)),
    subject,
    sequence(sequence(derOid('1.2.840.113549.1.1.1'), nothing), bitString(key)),
  );
  // As long as the modulus and smaller: OpenSSL does the full computation.
  const signature = Buffer.concat([Buffer.of(0x01), randomBytes(modulus.toString(16).length / 2 - 1)]);
  return sequence(tbs, sha256WithRsa, bitString(signature));
}

function commonName(name: string): Buffer {
  const attribute = sequence(derOid('2.5.4.3'), derElement(0x0c, Buffer.from(name)));
  return sequence(derElement(tags.set, attribute));
}

/** The issuer of a certificate. */
function nameOf(der: Uint8Array): Buffer {
  const cursor = new DerCursor(der);
  cursor.open(der.length, tags.sequence);
  cursor.open(cursor.end, tags.sequence);
  const { end } = cursor;
  cursor.read(end);
  cursor.read(end, tags.integer);
  cursor.read(end, tags.sequence);
  return Buffer.from(cursor.element(end, tags.sequence));
}

function odd(bits: number): bigint {
  const value = BigInt(`0x${randomBytes(Math.ceil(bits / 8)).toString('hex')}`);
  return BigInt.asUintN(bits, value) | 1n | (1n << BigInt(bits - 1));
}
