/** The file that holds a CRL. */
import { constants, open } from 'node:fs/promises';

export type CrlFile =
  | { readonly ok: true; readonly bytes: Uint8Array }
  /** Longer than `limit`, where `isLong`. */
  | { readonly ok: false; readonly isLong: boolean; readonly detail: string };

/** The contents, of `limit` octets at most; a file that grows while it is read is read as long as it was. Never throws. */
export async function readCrlFile(path: string, limit: number): Promise<CrlFile> {
  try {
    // Opening a pipe would wait for somebody to write to it.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = await file.stat();
    if (!status.isFile()) return { ok: false, isLong: false, detail: 'not a file' };
    if (status.size > limit) return { ok: false, isLong: true, detail: `a file of ${status.size} octets` };
    const bytes = new Uint8Array(status.size);
    let length = 0;
    let read: number;
    do {
      ({ bytesRead: read } = await file.read(bytes, length));
      length += read;
    } while (read > 0 && length < bytes.length);
    return { ok: true, bytes: bytes.subarray(0, length) };
  } catch (cause) {
    return { ok: false, isLong: false, detail: cause instanceof Error ? cause.message : 'unknown' };
  }
}
