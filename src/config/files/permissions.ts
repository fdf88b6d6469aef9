/** Whether every user of this machine may read or replace a file that holds a secret. */
import { stat } from 'node:fs/promises';

const forOthers = { read: 0o004, write: 0o002 };

export const ownersOnly = 'a mode without rights for others, such as 0600 or 0640';

/** `which every user of this machine may read (mode 0644)`; null: no such right, or the mode is not known. */
export async function rightsOfOthers(path: string): Promise<string | null> {
  // Windows does not have these mode bits.
  if (process.platform === 'win32') return null;
  const mode = await stat(path).then(
    (stats) => stats.mode,
    () => 0,
  );
  const rights = Object.entries(forOthers).flatMap(([right, bit]) => (mode & bit ? [right] : []));
  if (rights.length === 0) return null;
  const octal = (mode & 0o7777).toString(8).padStart(4, '0');
  return `which every user of this machine may ${rights.join(' and ')} (mode ${octal})`;
}
