/** The trace that a message belongs to (W3C Trace Context): the one that it came with, or one of its own. */
import { randomFillSync } from 'node:crypto';
import type { RequestHead } from './request.ts';

export interface Trace {
  /** 32 hex digits. */
  readonly id: string;
  /** `traceparent`, and `tracestate` where it came with it, each with its CRLF. */
  readonly fields: string;
  /** What the gateway's own spans are named by; null: it makes none for this message. */
  readonly span: SpanContext | null;
}

export interface SpanContext {
  /** 16 hex digits each: the gateway's answer to the client, and within it what it asked of the host. */
  readonly server: string;
  readonly client: string;
  /** The client's own span; null: the trace began here. */
  readonly parent: string | null;
  /** Trace flags, as the host gets them. */
  readonly flags: number;
}

/** §3.2.2: version `ff` and ids of zeros are invalid; what later versions add behind the flags begins with `-`. */
const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?:-|$)/;
const lengthOfVersion00 = 55;

/** The trace id of a traceparent's value; null: absent or malformed. */
export function readTraceId(traceparent: string | null): string | null {
  if (traceparent === null) return null;
  if (traceparent.length > lengthOfVersion00 && traceparent.startsWith('00-')) return null;
  return form.exec(traceparent)?.[1] ?? null;
}

/** Without a span of the gateway's: what is well-formed goes on as it came, else a trace begins here and is not sampled. */
export function traceOf({ traceparent, tracestate }: Pick<RequestHead, 'traceparent' | 'tracestate'>): Trace {
  const id = readTraceId(traceparent);
  // §3.3: what the state belongs to cannot be known without its parent.
  if (id === null) return beginTrace();
  const state = tracestate === null || tracestate === '' ? '' : `tracestate: ${tracestate}\r\n`;
  return { id, fields: `traceparent: ${traceparent}\r\n${state}`, span: null };
}

function beginTrace(): Trace {
  const id = randomHex(16);
  return { id, fields: `traceparent: 00-${id}-${randomHex(8)}-00\r\n`, span: null };
}

/** Random bytes for some hundreds of ids: asked for one by one they would cost more than the rest of the head. */
const random = Buffer.allocUnsafeSlow(8192);
let used = random.length;

/** Digits that the audit would mask, zeros among them, are passed over: an id of the gateway's can always be found. */
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
