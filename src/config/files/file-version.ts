/** The version of a file: it changes with the content, and is taken without reading the file. */
import { stat } from 'node:fs/promises';

/** Absolute path → version. */
export type FileVersions = ReadonlyMap<string, string>;

/** Never throws: the version of a file that cannot be accessed is the error's code. */
export async function takeVersions(files: Iterable<string>): Promise<FileVersions> {
  return new Map(await Promise.all([...files].map(async (file) => [file, await versionOf(file)] as const)));
}

export function isSame(a: FileVersions, b: FileVersions): boolean {
  return a.size === b.size && [...a].every(([file, version]) => b.get(file) === version);
}

/** Of the target of symbolic links, so that a replaced link on the way is a change. */
async function versionOf(file: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(file, { bigint: true });
    // ctime, because mtime can be set back (cp -p, tar), and because a change of the mode alone changes only ctime.
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code ?? 'unreachable';
  }
}
