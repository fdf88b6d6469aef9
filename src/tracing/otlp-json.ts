/** Writes spans and export requests as OTLP JSON: ids in hex, enums as numbers, 64-bit numbers as strings. */

export type Attribute = readonly [key: string, value: string | number | null];

export interface SpanFacts {
  readonly traceId: string;
  readonly id: string;
  /** null: this span is the root of the trace. */
  readonly parent: { readonly id: string; readonly remote: boolean } | null;
  /** Trace flags. */
  readonly flags: number;
  readonly kind: keyof typeof kinds;
  readonly name: string;
  /** Ms since the epoch, with fractions. */
  readonly startMs: number;
  readonly endMs: number;
  readonly failed: boolean;
  /** Attributes with the value null are omitted. Numbers must be integers. */
  readonly attributes: readonly Attribute[];
}

const kinds = { server: 2, client: 3 } as const;
const statusError = '{"code":2}';
/** SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK: the next flag is meaningful. SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK: the parent is remote. */
const remoteKnown = 0x100;
const remote = 0x200;

/** Concatenates strings, as audit records do: `JSON.stringify` of such a tree of small objects takes three times as long. */
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

/** Keys are not escaped: they must be attribute names of the semantic conventions. */
function attributesJson(attributes: readonly Attribute[]): string {
  let list = '';
  for (const [key, value] of attributes) {
    if (value === null) continue;
    const typed =
      typeof value === 'string' ? `"stringValue":${JSON.stringify(value)}` : `"intValue":"${value}"`;
    list += `${list === '' ? '' : ','}{"key":"${key}","value":{${typed}}}`;
  }
  return `[${list}]`;
}

/** Rounded to microseconds, since a double cannot hold the nanoseconds since the epoch exactly. */
function nanoseconds(milliseconds: number): string {
  return `${Math.round(milliseconds * 1000)}000`;
}

interface ResourceFacts {
  readonly serviceName: string;
  readonly version: string;
  /** A random id, unique to this process. */
  readonly instanceId: string;
  readonly host: string;
}

/** The part of ExportTraceServiceRequest before the spans; the same for all requests. */
export function requestStart({ serviceName, version, instanceId, host }: ResourceFacts): string {
  const attributes = attributesJson([
    ['service.name', serviceName],
    ['service.version', version],
    ['service.instance.id', instanceId],
    ['host.name', host],
  ]);
  const scope = { name: 'ehi-gateway', version };
  return `{"resourceSpans":[{"resource":{"attributes":${attributes}},"scopeSpans":[{"scope":${JSON.stringify(scope)},"spans":[`;
}

/** The body of an export. `spans`: results of `spanJson`. */
export function exportRequest(start: string, spans: readonly string[]): string {
  return `${start}${spans.join(',')}]}]}]}`;
}
