/** Checks the audit destination before a start, for `run` and `check`. Creates and changes nothing. */
import { constants, type Stats } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Why records could not be written to the destination; null: they could. */
export async function destinationProblem(destination: string): Promise<string | null> {
  if (destination === 'stdout' || destination === 'stderr') return null;
  try {
    const found = await find(destination);
    if (found?.isDirectory()) return `${destination} is a folder`;
    // A named pipe is not opened: opening it would wait for its reader.
    if (found === null) await access(dirname(destination), constants.W_OK | constants.X_OK);
    else await access(destination, constants.W_OK);
    return null;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' ? 'its folder does not exist' : `${code}`;
    return `the audit file ${destination} cannot be opened: ${problem}`;
  }
}

/** Why the file could not be rotated, if records can be written to it; null: it could. */
export async function rotationProblem(path: string): Promise<string | null> {
  const found = await find(path);
  if (found !== null && !found.isFile()) return `${path}, which is a pipe or a device`;
  const folder = dirname(path);
  return await access(folder, constants.W_OK | constants.X_OK).then(
    () => null,
    (cause: NodeJS.ErrnoException) => `${folder}, in which the file cannot be renamed (${cause.code})`,
  );
}

/** null: there is nothing. Throws other errors of node:fs. */
async function find(path: string): Promise<Stats | null> {
  return await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw cause;
    return null;
  });
}
