/** Reads input of limited size: pipes and devices, such as /dev/zero, state none before they are read. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';

/** `source`: the name of a file, or a stream. null: more than `maxBytes`. Rejects with the error of Node. */
export async function readLimited(source: string | Readable, maxBytes: number): Promise<Buffer | null> {
  const stream = typeof source === 'string' ? createReadStream(source) : source;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    // Leaving the loop closes the file.
    if (length > maxBytes) return null;
  }
  return Buffer.concat(chunks);
}
