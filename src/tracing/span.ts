/** One span as OTLP writes it in JSON: ids in hex, enums and 64-bit numbers as Protobuf's JSON mapping has them. */

export type Attribute = readonly [key: string, value: string | number | null];

export interface SpanFacts {
  readonly traceId: string;
  readonly id: string;
  /** null: the trace begins with this span. */
  readonly parent: { readonly id: string; readonly remote: boolean } | null;
  /** Trace flags. */
  readonly flags: number;
  readonly kind: keyof typeof kinds;
  readonly name: string;
  /** Milliseconds since the epoch, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly failed: boolean;
  /** Those that are null are left out; numbers are whole. */
  readonly attributes: readonly Attribute[];
}

const kinds = { server: 2, client: 3 } as const;
const statusError = 2;
/** SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK: it is said whether the parent is remote; and ..._IS_REMOTE_MASK: it is. */
const remoteKnown = 0x100;
const remote = 0x200;

export function spanJson(facts: SpanFacts): string {
  const { parent, attributes } = facts;
  return JSON.stringify({
    traceId: facts.traceId,
    spanId: facts.id,
    ...(parent !== null && { parentSpanId: parent.id }),
    flags: facts.flags | remoteKnown | (parent?.remote ? remote : 0),
    name: facts.name,
    kind: kinds[facts.kind],
    startTimeUnixNano: nanoseconds(facts.startMs),
    endTimeUnixNano: nanoseconds(facts.endMs),
    attributes: attributes.flatMap(([key, value]) => (value === null ? [] : [attributeOf(key, value)])),
    status: facts.failed ? { code: statusError } : {},
  });
}

export function attributeOf(key: string, value: string | number): unknown {
  return { key, value: typeof value === 'string' ? { stringValue: value } : { intValue: `${value}` } };
}

/** In microseconds the epoch's time is a whole number that a double holds, in nanoseconds it is none. */
function nanoseconds(milliseconds: number): string {
  return `${Math.round(milliseconds * 1000)}000`;
}
