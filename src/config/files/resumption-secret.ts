/** The secret that replicas share, so that they accept each other's session tickets. */
import { readFile } from 'node:fs/promises';
import type { Finding } from '../document.ts';
import type { Resumption } from '../schema/listen.ts';
import { ownersOnly, rightsOfOthers } from './permissions.ts';

/** As many as SHA-256 gives: fewer would be the weakest part of the keys that are derived from it. */
const leastBytes = 32;

interface SecretReading {
  /** Without the one line break that may end the file; null: no file is named, or there is a problem. */
  readonly secret: Buffer | null;
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** What is wrong with the file is told, not thrown, and nothing of what it holds. */
export async function readResumptionSecret(resumption: Resumption): Promise<SecretReading> {
  if (resumption?.secretFile === undefined) return { secret: null, problems: [], warnings: [] };
  const path = ['listen', 'resumption', 'secretFile'];
  const refuse = (found: string): SecretReading => {
    const allowed = `a file with at least ${leastBytes} bytes`;
    return { secret: null, problems: [{ path, found, allowed }], warnings: [] };
  };
  try {
    const secret = withoutLineBreak(await readFile(resumption.secretFile));
    if (secret.length < leastBytes) return refuse(`a file with ${secret.length} bytes`);
    const rights = await rightsOfOthers(resumption.secretFile);
    const warnings = rights === null ? [] : [{ path, found: `a file ${rights}`, allowed: ownersOnly }];
    return { secret, problems: [], warnings };
  } catch (cause) {
    // Here people put the secret itself by mistake: the name is not repeated.
    return refuse(`a file that cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unreadable'})`);
  }
}

function withoutLineBreak(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}
