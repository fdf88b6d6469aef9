/** The trace of a message (W3C Trace Context): the one of its traceparent, or a new one. */
import { randomFillSync } from 'node:crypto';
import type { RequestHead } from './request.ts';

export interface Trace {
  /** 32 hex digits. */
  readonly id: string;
  /** Lines for the host, with CRLF each: `traceparent`, and `tracestate` if the client sent one. */
  readonly fields: string;
  /** Ids of the gateway's spans; null: the gateway creates no spans for this message. */
  readonly span: SpanContext | null;
}

export interface SpanContext {
  /** Span ids of 16 hex digits: the whole message (`SERVER`), and within it the request to the host (`CLIENT`). */
  readonly server: string;
  readonly client: string;
  /** The client's span id; null: the trace began in the gateway. */
  readonly parent: string | null;
  /** Trace flags that are sent to the host. */
  readonly flags: number;
}

/** §3.2.2: version `ff` and all-zero ids are invalid; additions of later versions follow the flags after a `-`. */
const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;
const lengthOfVersion00 = 55;

/** The trace id of a traceparent; null: absent or malformed. */
export function readTraceId(traceparent: string | null): string | null {
  if (traceparent === null) return null;
  if (traceparent.length > lengthOfVersion00 && traceparent.startsWith('00-')) return null;
  return form.exec(traceparent)?.[1] ?? null;
}

/** The trace without spans of the gateway: a valid traceparent is passed on unchanged, else an unsampled trace begins. */
export function traceOf({ traceparent, tracestate }: Pick<RequestHead, 'traceparent' | 'tracestate'>): Trace {
  const id = readTraceId(traceparent);
  // §3.3: tracestate is discarded without a valid traceparent.
  if (id === null) return beginTrace();
  const state = tracestate === null || tracestate === '' ? '' : `tracestate: ${tracestate}\r\n`;
  return { id, fields: `traceparent: ${traceparent}\r\n${state}`, span: null };
}

function beginTrace(): Trace {
  const id = randomHex(16);
  return { id, fields: `traceparent: 00-${id}-${randomHex(8)}-00\r\n`, span: null };
}

/** Random bytes for some hundreds of ids: to generate them one by one would cost more than the rest of the head. */
const random = Buffer.allocUnsafeSlow(8192);
let used = random.length;

/** Skips ids that the audit log would mask (13 digits in a row), all-zero ids included, so that every id can be searched for. */
export function randomHex(bytes: number): string {
  for (;;) {
    if (used + bytes > random.length) {
      randomFillSync(random);
      used = 0;
    }
    const hex = random.toString('hex', used, used + bytes);
    used += bytes;
    if (!/[0-9]{13}/.test(hex)) return hex;
  }
}
