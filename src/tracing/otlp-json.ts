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
const statusError = '{"code":2}';
/** SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK: it is said whether the parent is remote; and ..._IS_REMOTE_MASK: it is. */
const remoteKnown = 0x100;
const remote = 0x200;

/** Written by hand, as audit records are: `JSON.stringify` of such a tree of small objects costs three times as much. */
export function spanJson(facts: SpanFacts): string {
  const { parent } = facts;
  const flags = facts.flags | remoteKnown | (parent?.remote ? remote : 0);
  return (
    `{"traceId":"${facts.traceId}","spanId":"${facts.id}"` +
    (parent === null ? '' : `,"parentSpanId":"${parent.id}"`) +
    `,"flags":${flags},"name":${JSON.stringify(facts.name)},"kind":${kinds[facts.kind]}` +
    `,"startTimeUnixNano":"${nanoseconds(facts.startMs)}","endTimeUnixNano":"${nanoseconds(facts.endMs)}"` +
    `,"attributes":${attributesJson(facts.attributes)},"status":${facts.failed ? statusError : '{}'}}`
  );
}

/** `attributes`: their keys are names of the conventions, which need no escaping. */
export function attributesJson(attributes: readonly Attribute[]): string {
  let list = '';
  for (const [key, value] of attributes) {
    if (value === null) continue;
    const typed =
      typeof value === 'string' ? `"stringValue":${JSON.stringify(value)}` : `"intValue":"${value}"`;
    list += `${list === '' ? '' : ','}{"key":"${key}","value":{${typed}}}`;
  }
  return `[${list}]`;
}

/** In microseconds the epoch's time is a whole number that a double holds, in nanoseconds it is none. */
function nanoseconds(milliseconds: number): string {
  return `${Math.round(milliseconds * 1000)}000`;
}
