/** Replaces a file atomically: a reader sees the old content or the new content, never a part of it. */
import { randomBytes } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** The file gets mode 0600; missing folders are created with mode 0700. Throws the errors of node:fs. */
export async function replaceFile(file: string, contents: string | Uint8Array): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    // `flush` writes the bytes to disk before the rename, so that a crash leaves no empty file.
    await writeFile(draft, contents, { flag: 'wx', mode: 0o600, flush: true });
    await rename(draft, file);
  } catch (cause) {
    // The error of the write is the one to report, not an error of the clean-up.
    await rm(draft, { force: true }).catch(() => {});
    throw cause;
  }
}
