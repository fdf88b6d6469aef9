/** Decompresses an audit file as a whole: data that Node would pass over without an error is one. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';

const chunkBytes = 256 * 1024;

/** Data behind the end of the compressed data. Its message names the bytes. */
export class TrailingDataError extends Error {}

/** Ends early, without an error, if the caller stops. @throws TrailingDataError, and the errors of node:fs and node:zlib. */
export async function* decompress(path: string, compression: 'gzip' | 'zstd'): AsyncGenerator<Buffer> {
  const options = { chunkSize: chunkBytes };
  let start = 0;
  let read = 0;
  do {
    const file = createReadStream(path, { start, highWaterMark: chunkBytes });
    const stream = compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
    file.on('error', (cause) => stream.destroy(cause));
    try {
      yield* file.pipe(stream) as AsyncIterable<Buffer>;
    } finally {
      file.destroy();
    }
    read = stream.bytesWritten;
    start += read;
    // Node 24 ends with the first part of a zstd file, Node 26 with the last.
  } while (compression === 'zstd' && read > 0 && (await isZstdPart(path, start)));
  await refuseRest(path, start);
}

/** Whether a zstd frame begins there (RFC 8878 §3.1.1). */
async function isZstdPart(path: string, start: number): Promise<boolean> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, start);
  return bytesRead === 4 && buffer.readUInt32LE() === 0xfd2fb528;
}

/** Node ends at the first byte that begins no further part, without an error: lines behind it would not be seen. */
async function refuseRest(path: string, start: number): Promise<void> {
  let at = start;
  const rest = createReadStream(path, { start, highWaterMark: chunkBytes }) as AsyncIterable<Buffer>;
  for await (const chunk of rest) {
    // Zeros to the end of the file are padding.
    const found = chunk.findIndex((byte) => byte !== 0);
    if (found >= 0)
      throw new TrailingDataError(
        `the compressed file ends at byte ${start}, and there is further data from byte ${at + found} on`,
      );
    at += chunk.length;
  }
}
