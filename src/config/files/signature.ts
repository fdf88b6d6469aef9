/** What tells two states of a file apart without reading it. */
import { stat } from 'node:fs/promises';

/** Absolute path → what stood there before it was read. */
export type Signatures = ReadonlyMap<string, string>;

/** Never throws: what is not there, or cannot be reached, has the error's code as its signature. */
export async function takeSignatures(files: Iterable<string>): Promise<Signatures> {
  return new Map(await Promise.all([...files].map(async (file) => [file, await signatureOf(file)] as const)));
}

export function isSame(a: Signatures, b: Signatures): boolean {
  return a.size === b.size && [...a].every(([file, signature]) => b.get(file) === signature);
}

/** Of what symbolic links lead to, so that a swap of any link on the way shows. */
async function signatureOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    // ctime, because mtime can be set back (cp -p, tar), and because a file that became readable shows nowhere else.
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code ?? 'unreachable';
  }
}
