/** Reads the secret that replicas share, so that each accepts the session tickets of the others. */
import { readFile } from 'node:fs/promises';
import type { Diagnostic } from '../diagnostic.ts';
import type { Resumption } from '../schema/listen.ts';
import { ownersOnly, rightsOfOthers } from './permissions.ts';

/** The output length of SHA-256: a shorter secret would be weaker than the keys that are derived from it. */
const minBytes = 32;

interface SecretReading {
  /** Without one line break at the end of the file; null: no file is set, or there is a problem. */
  readonly secret: Buffer | null;
  readonly problems: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

/** Reports what is wrong with the file, without throwing and without its content. */
export async function readResumptionSecret(resumption: Resumption): Promise<SecretReading> {
  if (resumption?.secretFile === undefined) return { secret: null, problems: [], warnings: [] };
  const path = ['listen', 'resumption', 'secretFile'];
  const refuse = (found: string): SecretReading => {
    const allowed = `a file with at least ${minBytes} bytes`;
    return { secret: null, problems: [{ path, found, allowed }], warnings: [] };
  };
  try {
    const secret = withoutLineBreak(await readFile(resumption.secretFile));
    if (secret.length < minBytes) return refuse(`a file with ${secret.length} bytes`);
    const rights = await rightsOfOthers(resumption.secretFile);
    const warnings = rights === null ? [] : [{ path, found: `a file ${rights}`, allowed: ownersOnly }];
    return { secret, problems: [], warnings };
  } catch (cause) {
    // Operators write the secret itself here by mistake: the name is not repeated.
    return refuse(`a file that cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unreadable'})`);
  }
}

function withoutLineBreak(bytes: Buffer): Buffer {
  if (bytes.at(-1) !== 0x0a) return bytes;
  return bytes.subarray(0, bytes.at(-2) === 0x0d ? -2 : -1);
}
