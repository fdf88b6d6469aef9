/** Writes heads and chunks from parsed values, in one buffer with the available payload. */
import { chunkHead, lastChunk } from './body-framing.ts';
import type { RequestHead } from './request.ts';
import type { ResponseHead } from './response.ts';

/** Part of a body that is written together with its framing. */
export interface Payload {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly end: number;
  readonly chunked: boolean;
  /** This is the end of the body. */
  readonly last: boolean;
}

/** The request line and fields for the host, up to the identity fields. */
export function writeRequestStart(head: RequestHead, authority: string): string {
  return `${head.method} ${head.target} HTTP/1.1\r\nHost: ${head.host ?? authority}\r\n${head.fields}`;
}

/** The end of the head for the host: framing fields and empty line. */
export function writeRequestEnd(head: RequestHead): string {
  if (head.framing === 'chunked') return 'Transfer-Encoding: chunked\r\n\r\n';
  return head.framing === 'length' ? `Content-Length: ${head.length}\r\n\r\n` : '\r\n';
}

interface OutgoingFraming {
  /** Content-Length, -1 without one; absent: that of the host. */
  readonly length?: number;
  /** The body is sent in chunks. */
  readonly chunked: boolean;
  /** The connection closes after this response. */
  readonly close: boolean;
}

/** The complete response head for the client. */
export function writeResponseHead(
  head: ResponseHead,
  { length = head.length, chunked, close }: OutgoingFraming,
): string {
  // RFC 9110 §8.6: no Content-Length in 1xx and 204; in a response to HEAD and in 304 it states the length for GET.
  const stated = length !== -1 && head.status >= 200 && head.status !== 204;
  const framing = chunked ? 'Transfer-Encoding: chunked\r\n' : stated ? `Content-Length: ${length}\r\n` : '';
  const connection = close ? 'Connection: close\r\n' : '';
  return `HTTP/1.1 ${head.status} ${head.reason}\r\n${head.fields}${framing}${connection}\r\n`;
}

/** `head` (latin1) and the framed payload in one buffer: one write, one TLS record. */
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
