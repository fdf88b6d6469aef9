/** The secret that replicas share, so that they accept each other's session tickets. */
import { readFile } from 'node:fs/promises';

/** As many as SHA-256 gives: fewer would be the weakest part of what is derived from it (RFC 5869 §3.3). */
const leastBytes = 32;

export type SecretReading =
  | { readonly secret: Buffer }
  | { readonly found: string; readonly allowed: string };

/** Reads the file without the one line break that may end it; what is wrong is told, not thrown. */
export async function readResumptionSecret(path: string): Promise<SecretReading> {
  const allowed = `a file with at least ${leastBytes} bytes`;
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    // Here people put the secret itself by mistake: the name is not repeated.
    const code = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    return { found: `a file that cannot be read (${code})`, allowed };
  }
  const secret = withoutLineBreak(bytes);
  return secret.length < leastBytes ? { found: `a file with ${secret.length} bytes`, allowed } : { secret };
}

function withoutLineBreak(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}
