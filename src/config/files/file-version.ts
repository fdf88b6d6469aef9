/** The signature of a file: it changes with the content, and is taken without reading the file. */
import { stat } from 'node:fs/promises';

/** Absolute path → signature. */
export type Signatures = ReadonlyMap<string, string>;

/** Never throws: the signature of a file that cannot be accessed is the error's code. */
export async function takeSignatures(files: Iterable<string>): Promise<Signatures> {
  return new Map(await Promise.all([...files].map(async (file) => [file, await signatureOf(file)] as const)));
}

export function isSame(a: Signatures, b: Signatures): boolean {
  return a.size === b.size && [...a].every(([file, signature]) => b.get(file) === signature);
}

/** Of the target of symbolic links, so that a replaced link on the way is a change. */
async function signatureOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    // ctime, because mtime can be set back (cp -p, tar), and because a change of the mode alone changes only ctime.
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code ?? 'unreachable';
  }
}
