/** Decides whether a message gets spans, and generates their ids, so that the host's spans become children of them. */
import type { RequestHead } from '../message/request.ts';
import { randomHex, readTraceId, type Trace, traceOf } from '../message/trace-context.ts';
import type { TracingPolicy } from '../policy/snapshot.ts';
import { maskDigits } from '../telemetry/card-number-mask.ts';
import { isSampled, thresholdOf } from './sampling.ts';

/** W3C Trace Context §3.2.2.5. `random` (Level 2) states that the trace id is random: only the creator of the trace sets it. */
const sampledFlag = 0x01;
const randomFlag = 0x02;

export class Tracer {
  readonly #threshold: string | null;

  constructor({ sampleRatio }: TracingPolicy) {
    this.#threshold = thresholdOf(sampleRatio);
  }

  /** As `traceOf`, with a span if the client sampled its trace, or the new trace is sampled. */
  begin(head: Pick<RequestHead, 'traceparent' | 'tracestate'>): Trace {
    const trace = traceOf(head);
    const { traceparent } = head;
    if (traceparent === null || readTraceId(traceparent) === null) {
      return isSampled(trace.id, this.#threshold) ? withSpan(trace, { parent: null, flags: 0 }) : trace;
    }
    // In all versions, the fields of version 00 have the same positions.
    const parent = traceparent.slice(36, 52);
    const flags = Number.parseInt(traceparent.slice(53, 55), 16);
    if ((flags & sampledFlag) === 0 || isMasked(trace.id) || isMasked(parent)) return trace;
    return withSpan(trace, { parent, flags: flags & randomFlag });
  }
}

function withSpan(
  { id, fields }: Trace,
  { parent, flags: kept }: { readonly parent: string | null; readonly flags: number },
): Trace {
  const span = { server: randomHex(8), client: randomHex(8), parent, flags: kept | sampledFlag };
  // tracestate, if any, follows the first line.
  const state = fields.slice(fields.indexOf('\n') + 1);
  return { id, fields: `traceparent: 00-${id}-${span.client}-0${span.flags}\r\n${state}`, span };
}

/** A client could choose an id that contains a card number. Such an id is sent to the host only, never to the collector. */
function isMasked(id: string): boolean {
  return maskDigits(id) !== id;
}
