/** Heads and chunks on their way out: written from what was parsed, in one buffer with the payload that is there. */
import { chunkHead, lastChunk } from './framing.ts';
import type { RequestHead } from './request.ts';
import type { ResponseHead } from './response.ts';

/** A stretch of a body that leaves together with what frames it. */
export interface Payload {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly end: number;
  readonly chunked: boolean;
  /** Nothing of this body follows. */
  readonly last: boolean;
}

/** The request line and fields for the host, up to where the identity fields begin. */
export function writeRequestStart(head: RequestHead, authority: string): string {
  return `${head.method} ${head.target} HTTP/1.1\r\nHost: ${head.host ?? authority}\r\n${head.fields}`;
}

/** The framing fields and the empty line that end the head for the host. */
export function writeRequestEnd(head: RequestHead): string {
  if (head.framing === 'chunked') return 'Transfer-Encoding: chunked\r\n\r\n';
  return head.framing === 'length' ? `Content-Length: ${head.length}\r\n\r\n` : '\r\n';
}

interface OutgoingFraming {
  /** Content-Length, -1 without one; absent: as the host stated it. */
  readonly length?: number;
  /** The answer's body is sent in chunks. */
  readonly chunked: boolean;
  /** The connection ends after this answer. */
  readonly close: boolean;
}

/** The answer's whole head for the client. */
export function writeResponseHead(
  head: ResponseHead,
  { length = head.length, chunked, close }: OutgoingFraming,
): string {
  // RFC 9110 §8.6: a 1xx or 204 has no Content-Length; one to HEAD or with 304 says what GET would get.
  const stated = length !== -1 && head.status >= 200 && head.status !== 204;
  const framing = chunked ? 'Transfer-Encoding: chunked\r\n' : stated ? `Content-Length: ${length}\r\n` : '';
  const connection = close ? 'Connection: close\r\n' : '';
  return `HTTP/1.1 ${head.status} ${head.reason}\r\n${head.fields}${framing}${connection}\r\n`;
}

/** `head` (latin1) and the payload, framed, in one buffer: one write, one TLS record. */
export function assemble(head: string, payload: Payload): Buffer {
  const size = payload.end - payload.at;
  const before = payload.chunked && size > 0 ? head + chunkHead(size) : head;
  const after = payload.chunked ? (size > 0 ? '\r\n' : '') + (payload.last ? lastChunk : '') : '';
  const out = Buffer.allocUnsafe(before.length + size + after.length);
  out.write(before, 0, 'latin1');
  if (size > 0) out.set(payload.bytes.subarray(payload.at, payload.end), before.length);
  if (after !== '') out.write(after, before.length + size, 'latin1');
  return out;
}
