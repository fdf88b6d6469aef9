/** Turns lines of the json format into lines of `audit.format: ecs`, on the thread that builds them. */
import { safeJson } from '../foreign-text.ts';
import { categoriesOf } from './ecs-category.ts';
import { type JsonRecord, messageSentence, recordSentence } from './ecs-sentence.ts';
import {
  type EcsField,
  type EcsForm,
  ecsFields,
  ecsModule,
  ecsVersion,
  type RecordType,
  recordTypes,
} from './ecs-table.ts';

/** `lines`: one or more of the json format, each with its newline; the same lines in ECS. Seals stay as they are. */
export function toEcsLines(lines: string): string {
  let ecs = '';
  let begin = 0;
  for (let end = lines.indexOf('\n') + 1; end > 0; end = lines.indexOf('\n', begin) + 1) {
    ecs += ecsLine(begin === 0 && end === lines.length ? lines : lines.slice(begin, end));
    begin = end;
  }
  return begin === lines.length ? ecs : ecs + lines.slice(begin);
}

function ecsLine(line: string): string {
  if (line.startsWith(messageStart)) return ecsMessageLine(line);
  const record: JsonRecord = JSON.parse(line);
  const type = recordTypes.find((each) => each === record.type);
  if (type === undefined || type === 'message') return line;
  return `${safeJson(toEcs(type, record, recordSentence(type, record)))}\n`;
}

/** `record`: of the json format. Fields that are null there are absent in ECS. */
export function toEcs(type: RecordType, record: JsonRecord, message: string): object {
  const ecs: Record<string, unknown> = {};
  const action = String(record.verdict ?? record.outcome ?? record.event);
  const { category, type: types, outcome } = categoriesOf(type, action);
  put(ecs, '@timestamp', record.time);
  put(ecs, 'ecs.version', ecsVersion);
  put(ecs, 'message', message);
  ecs.event = {
    kind: 'event',
    module: ecsModule,
    dataset: `${ecsModule}.${type}`,
    category,
    type: types,
    outcome,
  };
  for (const field of ecsFields[type]) {
    const value = ecsValue(field, record);
    if (value !== null && value !== undefined) put(ecs, field.ecs, value);
  }
  return ecs;
}

function ecsValue({ from, form }: EcsField, record: JsonRecord): unknown {
  const value = read(record, from);
  return value === null || value === undefined ? null : forms[form](value as string & number);
}

/** By form, from a value that is neither null nor undefined. */
const forms: Readonly<Record<EcsForm, (value: string & number) => unknown>> = {
  same: (value) => value,
  nanoseconds: (value: number) => Math.round(value * 1e6),
  version: (value: string) => versionParts(value)?.[2] ?? value,
  protocol: (value: string) => versionParts(value)?.[1]?.toLowerCase(),
  ip: (value: string) => (value.includes('%') ? null : value),
  listener_ip: (value: string) => listenerParts(value)?.[1],
  listener_port: (value: string) => {
    const port = listenerParts(value)?.[2];
    return port === undefined ? null : Number(port);
  },
  hex: (value: string) => {
    const bytes = Buffer.from(value, 'base64url');
    return bytes.length === 32 ? bytes.toString('hex').toUpperCase() : null;
  },
};

const versionParts = (version: string) => /^(TLS|SSL)v(\d+(?:\.\d+)?)$/.exec(version);
/** Only addresses that Elasticsearch accepts: IPv4, or IPv6 in brackets without a zone. */
const listenerParts = (listener: string) => /^\[?([0-9.]+|[0-9a-f:.]*:[0-9a-f:.]*)\]?:(\d+)$/.exec(listener);

/** The value at a path with dots; undefined if a part of the path is absent. */
export function read(object: JsonRecord, path: string): unknown {
  let at: unknown = object;
  for (const key of path.split('.')) {
    if (typeof at !== 'object' || at === null) return undefined;
    at = (at as JsonRecord)[key];
  }
  return at;
}

/** Sets the value at a path with dots, and makes the objects on the way. */
export function put(object: Record<string, unknown>, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop() as string;
  let at = object;
  for (const key of keys) {
    at[key] ??= {};
    at = at[key] as Record<string, unknown>;
  }
  at[last] = value;
}

const messageStart = '{"type":"message",';

/** The fields of a message line after its type, in order: each starts with a comma, which cannot stand before a quote in a string. */
const messageKeys = [
  ...['time', 'conn_id', 'request_id', 'trace_id', 'route', 'method', 'path', 'status', 'endpoint'],
  ...['upstream_reused', 'request_bytes', 'response_bytes', 'upstream_ms', 'total_ms', 'outcome', 'reason'],
].map((key) => `,"${key}":`);

/**
 * Message lines are the many: the values are cut out of the text and put into the ECS line without parsing them. A
 * comma and a quote never follow each other inside a JSON string, so the next `,"key":` is the next field. `policies`
 * comes last, and only in records of routes that have some.
 */
function ecsMessageLine(line: string): string {
  const values: string[] = [];
  let at = line.indexOf(messageKeys[0] as string);
  for (let index = 0; index < messageKeys.length; index++) {
    const start = at + (messageKeys[index] as string).length;
    const next = messageKeys[index + 1];
    at = next === undefined ? line.length - 2 : line.indexOf(next, start);
    values.push(line.slice(start, at));
  }
  const last = values.pop() as string;
  const end = last.indexOf(policiesKey);
  const reason = end === -1 ? last : last.slice(0, end);
  const policies = end === -1 ? '' : last.slice(end);
  return messageText([...values, reason] as unknown as MessageValues, policies);
}

const policiesKey = ',"policies":';

type MessageValues = readonly [
  ...head: [time: string, connId: string, requestId: string, traceId: string, route: string, method: string],
  ...middle: [path: string, status: string, endpoint: string, reused: string, sent: string, received: string],
  ...end: [upstreamMs: string, totalMs: string, outcome: string, reason: string],
];

/** JSON texts in, an ECS line out, with the same fields as `toEcs`. `policies`: with its key; empty: none. */
function messageText(values: MessageValues, policies: string): string {
  const [time, connId, requestId, traceId, route, method, path, status, endpoint, reused, ...rest] = values;
  const [requestBytes, responseBytes, upstreamMs, totalMs, outcome, reason] = rest;
  const words = {
    method: bare(method),
    path: bare(path),
    status: bare(status),
    outcome: outcome.slice(1, -1),
    reason: bare(reason),
  };
  const request = `"request":{"id":${requestId}${after('method', method)}${bytes(requestBytes)}}`;
  const response = `${first('status_code', status)}${status === 'null' ? bytes(responseBytes).slice(1) : bytes(responseBytes)}`;
  return (
    `{"@timestamp":${time},"ecs":{"version":"${ecsVersion}"},"message":"${messageSentence(words)}"` +
    `,"event":${eventStart(words.outcome)},"id":${requestId}` +
    `${totalMs === 'null' ? '' : `,"duration":${Math.round(Number(totalMs) * 1e6)}`}` +
    `,"action":${outcome}${after('reason', reason)}}` +
    `${traceId === 'null' ? '' : `,"trace":{"id":${traceId}}`}` +
    `,"http":{${request}${response === '' ? '' : `,"response":{${response}}`}}` +
    `${path === 'null' ? '' : `,"url":{"path":${path}}`}` +
    `,"ehi":{"conn_id":${connId}${after('route', route)}${after('endpoint', endpoint)}` +
    `${after('upstream_reused', reused)}${after('upstream_ms', upstreamMs)}${policies}}}\n`
  );
}

const eventStarts = new Map<string, string>();

/** The `event` object up to its fields that differ between messages; made once for each outcome. */
function eventStart(outcome: string): string {
  let start = eventStarts.get(outcome);
  if (start === undefined) {
    const { category, type, outcome: result } = categoriesOf('message', outcome);
    const parts = {
      kind: 'event',
      module: ecsModule,
      dataset: `${ecsModule}.message`,
      category,
      type,
      outcome: result,
    };
    start = safeJson(parts).slice(0, -1);
    eventStarts.set(outcome, start);
  }
  return start;
}

/** A field that is not the first of its object; nothing for null. */
function after(key: string, value: string): string {
  return value === 'null' ? '' : `,"${key}":${value}`;
}

function first(key: string, value: string): string {
  return value === 'null' ? '' : `"${key}":${value}`;
}

function bytes(count: string): string {
  return count === 'null' ? '' : `,"body":{"bytes":${count}}`;
}

/** A JSON text without its quotes, its escapes kept; null for null. */
function bare(value: string): string | null {
  if (value === 'null') return null;
  return value.startsWith('"') ? value.slice(1, -1) : value;
}
