/** The shape of each part of the status document. A part that does not fit does not spoil the others. */
import type { History, Status } from '../status-schema.ts';
import { flag, list, number, optional, record, type Shape, text, time, word } from './shape.ts';

/** What the document is made of, beside its version and time. */
export type Part = Exclude<keyof Status, 'version' | 'time'>;

const historyFields = record<History>({
  stepSeconds: number,
  ends: list(number),
  allowed: list(number),
  denied: list(number),
  failed: list(number),
  messages: list(number),
  late: list(number),
  p50Ms: list(optional(number)),
  p99Ms: list(optional(number)),
});

/** All series have a value for each step. */
const history: Shape<History> = (value, path) => {
  const found = historyFields(value, path);
  if (found !== null) return found;
  const { stepSeconds, ends, ...series } = value as History;
  if (stepSeconds <= 0) return `${path}.stepSeconds is not positive`;
  const odd = Object.entries(series).find(
    ([, values]) => Array.isArray(values) && values.length !== ends.length,
  );
  return odd === undefined ? null : `${path}.${odd[0]} has another length than ${path}.ends`;
};

export const partShapes: { readonly [P in Part]: Shape<Status[P]> } = {
  gateway: record({
    version: text,
    node: text,
    startedAt: time,
    state: word(),
    ready: flag,
    reasons: list(text),
    listen: optional(record({ address: text, port: number })),
    generation: optional(number),
  }),
  now: record({
    seconds: number,
    messagesPerSecond: number,
    late: number,
    shed: number,
    p50Ms: optional(number),
    p99Ms: optional(number),
    budgetMs: number,
    maxBudgetMs: number,
    overBudget: list(record({ route: text, budgetMs: number, messages: number, over: number })),
    inFlight: number,
    connections: number,
    unfinishedHandshakes: number,
  }),
  history,
  reasons: list(
    record({
      verdict: word(),
      reason: optional(text),
      count: number,
      says: optional(text),
      advice: optional(text),
    }),
  ),
  refused: list(
    record({
      time,
      connId: text,
      count: number,
      sourceAddress: optional(text),
      verdict: word(),
      reason: text,
      detail: optional(text),
      says: text,
      advice: text,
      subject: optional(text),
      issuer: optional(text),
    }),
  ),
  clients: list(
    record({ subject: text, issuer: optional(text), serial: text, lastSeen: time, notAfter: time }),
  ),
  certificates: list(
    record({ role: word(), anchor: optional(text), name: text, serial: text, notAfter: time }),
  ),
  anchors: list(
    record({
      name: text,
      source: optional(word()),
      refreshedAt: optional(time),
      certificates: number,
      passedOver: number,
      rootPinned: flag,
      pendingRoot: flag,
      lastError: optional(text),
    }),
  ),
  keySets: list(
    record({
      source: text,
      refreshedAt: optional(time),
      keys: number,
      passedOver: number,
      lastError: optional(text),
    }),
  ),
  revocation: list(
    record({
      anchor: text,
      kind: word(),
      address: text,
      subject: optional(text),
      serial: optional(text),
      refreshedAt: optional(time),
      nextUpdate: optional(time),
      failures: number,
      lastError: optional(text),
      entries: optional(number),
    }),
  ),
  upstreams: list(
    record({
      url: text,
      state: word(),
      idleConnections: number,
      busyConnections: number,
      failures: number,
      lastFailure: optional(record({ time, reason: text, cause: text })),
    }),
  ),
  changes: list(
    record({
      time,
      kind: word(),
      event: text,
      subject: optional(text),
      detail: optional(text),
      count: number,
    }),
  ),
  threads: list(record({ thread: number, connections: number, inFlight: number, loopDelayMs: number })),
  audit: record({
    destination: text,
    failingSince: optional(time),
    lost: number,
    queuedBytes: number,
    seal: optional(record({ seq: number, time })),
  }),
};

export const parts = Object.keys(partShapes) as readonly Part[];
