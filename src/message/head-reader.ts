/** Reads heads from a stream of bytes: request heads from the client, response heads from the host. */
import type { Limits } from '../policy/snapshot.ts';
import type { RequestFields } from './field-forwarding.ts';
import { BROKEN, INCOMPLETE } from './field-section.ts';
import { isToken } from './grammar.ts';
import { HeadBuffer, noBytes } from './head-buffer.ts';
import type { RefusalName } from './message-reasons.ts';
import { parseRequestHead, type RefusedHead, type RequestHead } from './request.ts';
import { type MalformedResponse, malformed, parseResponseHead, type ResponseHead } from './response.ts';

/** Bytes `at` to `end` of a buffer. */
export interface Span {
  readonly bytes: Buffer;
  readonly at: number;
  readonly end: number;
}

export const emptySpan: Span = { bytes: noBytes, at: 0, end: 0 };

/** What the parsing of a response head depends on. */
export interface ResponseOptions {
  readonly toHead: boolean;
  readonly limits: Pick<Limits, 'head' | 'fields'>;
  /** Cache of the host; absent: no cache. */
  readonly headCache?: ResponseHeadCache;
}

export class RequestReader {
  readonly #buffer = new HeadBuffer({ skipEmptyLine: true });
  /** The bytes after the last complete head. */
  rest: Span = emptySpan;

  /** Part of the next head has arrived. */
  get begun(): boolean {
    return this.#buffer.begun;
  }

  /** The next head, or its refusal; null: not complete yet. `fields`: which fields are forwarded. */
  read({ bytes, at, end }: Span, limits: Limits, fields?: RequestFields): RequestHead | RefusedHead | null {
    const buffer = this.#buffer;
    const found = buffer.append(bytes, at, end);
    const length = (found === INCOMPLETE ? buffer.end : found) - buffer.start;
    if (found === BROKEN) return refusedHead('line_end');
    if (length > limits.head) {
      const allowed = buffer.bytes.subarray(buffer.start, Math.min(buffer.start + limits.head, buffer.end));
      return refusedHead(tooLong(allowed.toString('latin1')));
    }
    if (found === INCOMPLETE) return null;
    this.rest = { bytes: buffer.bytes, at: found, end: buffer.end };
    return parseRequestHead(buffer.text(found), limits, fields);
  }
}

/** Which part of the head exceeds the limit, judged by the bytes within it. */
function tooLong(allowed: string): RefusalName {
  if (allowed.includes('\r\n')) return 'head_length';
  if (allowed.includes(' ')) return 'target_length';
  // RFC 9112 §3: a method longer than any supported one gets 501, as any other unknown method does.
  return isToken(allowed) ? 'method' : 'request_line';
}

function refusedHead(refusal: RefusedHead['refusal']): RefusedHead {
  return { kind: 'refused', refusal, method: null, path: null };
}

/** Longest head that is cached, bytes. */
const MAX_KEPT = 512;

/** Caches the last response head of a host, which is often the same for every message, so that it is parsed once. */
export class ResponseHeadCache {
  // A copy, because the buffer of a socket read is reused.
  readonly #bytes = Buffer.allocUnsafeSlow(MAX_KEPT);
  #length = 0;
  #asked: ResponseOptions | null = null;
  #head: ResponseHead | null = null;

  /** The parsed head if its bytes and options equal the cached ones; else null. */
  recall({ bytes, at, end }: Span, { toHead, limits }: ResponseOptions): ResponseHead | null {
    const asked = this.#asked;
    const same =
      asked !== null &&
      asked.toHead === toHead &&
      asked.limits === limits &&
      this.#length === end - at &&
      this.#bytes.compare(bytes, at, end, 0, this.#length) === 0;
    return same ? this.#head : null;
  }

  keep({ bytes, at, end }: Span, asked: ResponseOptions, head: ResponseHead): void {
    if (end - at > MAX_KEPT) return;
    this.#length = bytes.copy(this.#bytes, 0, at, end);
    this.#asked = asked;
    this.#head = head;
  }
}

export class ResponseReader {
  readonly #buffer = new HeadBuffer();
  rest: Span = emptySpan;

  /** Discards a partial head. */
  reset(): void {
    this.#buffer.reset();
  }

  /** The next head, interim responses included, or its fault; null: not complete yet. */
  read({ bytes, at, end }: Span, asked: ResponseOptions): ResponseHead | MalformedResponse | null {
    const { toHead, limits, headCache } = asked;
    const buffer = this.#buffer;
    const found = buffer.append(bytes, at, end);
    const length = (found === INCOMPLETE ? buffer.end : found) - buffer.start;
    if (found === BROKEN) return malformed('bad_answer', 'line_end');
    if (length > limits.head) return malformed('host_head_too_large', 'head_length');
    if (found === INCOMPLETE) return null;
    this.rest = { bytes: buffer.bytes, at: found, end: buffer.end };
    const span = { bytes: buffer.bytes, at: buffer.start, end: found };
    const known = headCache?.recall(span, asked) ?? null;
    if (known !== null) return known;
    const head = parseResponseHead(buffer.text(found), { toHead, maxFields: limits.fields });
    if ('fault' in head) return head;
    headCache?.keep(span, asked, head);
    return head;
  }
}
