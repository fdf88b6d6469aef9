/** The key derivation of PKCS#12 (RFC 7292 appendix B), by node-forge: OpenSSL has it, but Node does not offer it. */
import forge from 'node-forge';

/** `id`: 1 for a key, 2 for an IV, 3 for a MAC key. */
export function pkcs12Key(options: {
  readonly password: string | null;
  readonly salt: Uint8Array;
  readonly id: number;
  readonly iterations: number;
  /** Octets. */
  readonly length: number;
  readonly hash: 'sha1' | 'sha256' | 'sha384' | 'sha512';
}): Buffer {
  const { password, salt, id, iterations, length, hash } = options;
  const key = forge.pkcs12.generateKey(
    password,
    bufferOf(salt),
    id,
    iterations,
    length,
    forge.md[hash].create(),
  );
  return Buffer.from(key.getBytes(), 'latin1');
}

/** In the form of node-forge. */
export function bufferOf(bytes: Uint8Array): forge.util.ByteBuffer {
  return forge.util.createBuffer(Buffer.from(bytes).toString('latin1'));
}
