/** The keys that protect a server's flight of TLS 1.3 (RFC 8446 §7.1). */
import { createHash, createHmac } from 'node:crypto';
import { expandLabel, RecordProtection, type Suite, suites } from '../handshake/record-protection.ts';

/**
 * `suite`: IANA's name. `shared`: the secret of the key exchange. `transcript`: ClientHello and ServerHello. null: the suite
 * cannot be read here.
 */
export function openServerProtection(options: {
  readonly suite: string;
  readonly shared: Buffer;
  readonly transcript: Buffer;
}): RecordProtection | null {
  const suite: Suite | undefined = suites[options.suite as keyof typeof suites];
  if (suite === undefined) return null;
  const { hash, hashBytes: length } = suite;
  const zeros = Buffer.alloc(length);
  const digest = (bytes: Buffer) => createHash(hash).update(bytes).digest();
  const extract = (salt: Buffer, secret: Buffer) => createHmac(hash, salt).update(secret).digest();
  const early = extract(zeros, zeros);
  const derived = expandLabel(suite, early, { label: 'derived', length, context: digest(Buffer.alloc(0)) });
  const handshake = extract(derived, options.shared);
  const context = digest(options.transcript);
  return new RecordProtection(
    suite,
    expandLabel(suite, handshake, { label: 's hs traffic', length, context }),
  );
}

/** The suites of TLS 1.3 that can be read. */
export const readableSuites: readonly string[] = Object.keys(suites);
