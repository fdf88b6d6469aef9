/** Decompresses an audit file as a whole: data that Node would pass over without an error is one. */
import { createReadStream } from 'node:fs';
import { createGunzip, createZstdDecompress } from 'node:zlib';

const chunkBytes = 256 * 1024;

/** Data behind the end of the compressed data. Its message names the bytes. */
export class TrailingDataError extends Error {}

/** Ends early, without an error, if the caller stops. @throws TrailingDataError, and the errors of node:fs and node:zlib. */
export async function* decompress(path: string, compression: 'gzip' | 'zstd'): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { highWaterMark: chunkBytes });
  const options = { chunkSize: chunkBytes };
  const stream = compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options);
  file.on('error', (cause) => stream.destroy(cause));
  try {
    yield* file.pipe(stream) as AsyncIterable<Buffer>;
  } finally {
    file.destroy();
  }
  await refuseRest(path, stream.bytesWritten);
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
