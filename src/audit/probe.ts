/** Whether audit records could be written to a destination, without creating or changing anything. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

const { W_OK, X_OK } = constants;

/** Why the file cannot be written; null: it can. `stdout` and `stderr` always can. */
export async function objectionToDestination(destination: string): Promise<string | null> {
  if (destination === 'stdout' || destination === 'stderr') return null;
  const folder = dirname(destination);
  try {
    const stats = await stat(destination).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw cause;
      return null;
    });
    if (stats?.isDirectory()) return `${destination} is a folder`;
    // A pipe is not opened: that would wait for its reader.
    if (stats === null) await access(folder, W_OK | X_OK);
    else await access(destination, W_OK);
    return null;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const says = code === 'ENOENT' ? 'its folder does not exist' : `${code}`;
    return `the audit file ${destination} cannot be opened: ${says}`;
  }
}
