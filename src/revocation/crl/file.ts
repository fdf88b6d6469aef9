/** Reads a CRL file. */
import { constants, open } from 'node:fs/promises';

export type CrlFile =
  | { readonly ok: true; readonly bytes: Uint8Array }
  /** `isLong`: the file is larger than `limit`. */
  | { readonly ok: false; readonly isLong: boolean; readonly detail: string };

/** The content, `limit` octets at most; of a file that grows meanwhile the first part. Never throws. */
export async function readCrlFile(path: string, limit: number): Promise<CrlFile> {
  try {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const status = await file.stat();
    if (!status.isFile()) return { ok: false, isLong: false, detail: 'not a regular file' };
    if (status.size > limit)
      return {
        ok: false,
        isLong: true,
        detail: `the file has ${status.size} octets, and the limit is ${limit}`,
      };
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
