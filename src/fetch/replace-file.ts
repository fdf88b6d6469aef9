/** Keeps on disk what was last fetched and found good: a reader sees the old file or the new one, never a half. */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Replaces the file as a whole, mode 0600, its folder made if need be. Throws what node:fs throws. */
export async function replaceFile(file: string, contents: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    // `flush` brings the bytes to the disk before the name points at them.
    await writeFile(draft, contents, { flag: 'wx', mode: 0o600, flush: true });
    await rename(draft, file);
  } catch (cause) {
    // That the draft cannot be removed says less than why it could not be written.
    await rm(draft, { force: true }).catch(() => {});
    throw cause;
  }
}
