/** Messages with distinct bodies, and a host that answers each with its body. */

import type { Message } from './http/http.ts';
import { type Client, post } from './process/client.ts';
import { response } from './process/host.ts';

/** Answers with the body of the request. */
export function echo(request: Message): Buffer {
  return response({ body: request.body });
}

export function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `message ${index}`);
}

/** All messages, pipelined. */
export function posts(count: number): Buffer {
  return Buffer.concat(numbered(count).map((body) => post({ body })));
}

/** The bodies of the next answers. */
export async function bodies(client: Client, count: number): Promise<string[]> {
  const read: string[] = [];
  while (read.length < count) read.push((await client.response()).body.toString());
  return read;
}
