/** Builds the document of `/api/status` from facts. Pure. */
import type {
  AuditStatus,
  Change,
  ClientStatus,
  GatewayStatus,
  ReasonCount,
  RefusedHandshake,
  Status,
  ThreadStatus,
} from '../admin/status-schema.ts';
import { cut, maskDetail } from '../audit/masked-values.ts';
import type { LoadedConfig } from '../config/load.ts';
import { printableValue } from '../foreign-text.ts';
import { failureReasons } from '../handshake/failure-reasons.ts';
import { denyReasons } from '../identity/deny-reasons.ts';
import type { KeySetState } from '../keys/state.ts';
import type { SourceState } from '../revocation/event.ts';
import { isoTime } from '../telemetry/clock.ts';
import type { EndpointState } from '../telemetry/endpoint-report.ts';
import type { Gauges } from '../telemetry/meter.ts';
import type { CountedRefusal } from '../telemetry/refused-handshakes.ts';
import type { TrafficHistory, VerdictCount } from '../telemetry/traffic-history.ts';
import {
  anchorOf,
  byEnd,
  certificatesOf,
  keySetOf,
  revocationOf,
  type TrustFacts,
  timeOf,
} from './status-trust.ts';
import { upstreamOf } from './status-upstreams.ts';

export interface StatusFacts extends TrustFacts {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly startedAt: number;
  readonly gateway: Omit<GatewayStatus, 'node' | 'startedAt'>;
  readonly config: LoadedConfig['config'];
  readonly history: TrafficHistory;
  /** The newest first. */
  readonly refusals: readonly CountedRefusal[];
  readonly clients: readonly {
    readonly subject: string;
    readonly issuer: string;
    readonly serial: string;
    readonly notAfter: number;
    readonly seenAt: number;
  }[];
  readonly keySets: readonly KeySetState[];
  readonly revocationSources: readonly SourceState[];
  readonly endpoints: readonly EndpointState[];
  readonly changes: readonly Change[];
  /** The last gauges of each relay thread. */
  readonly threads: readonly { readonly thread: number; readonly gauges: Gauges | undefined }[];
  readonly audit: Omit<AuditStatus, 'failingSince' | 'seal'> & {
    readonly failingSince: number | null;
    readonly lastSealAt: number | null;
    readonly lastSealSeq: number | null;
  };
}

export function statusOf(facts: StatusFacts): Status {
  const { now, gateway, history, audit, endpoints } = facts;
  const steps = history.steps();
  // Names and details of peers are shown as they are, by the page and in a terminal.
  return printableValue({
    version: 1,
    time: isoTime(now),
    gateway: { ...gateway, node: process.versions.node, startedAt: isoTime(facts.startedAt) },
    now: trafficOf(facts),
    history: { ...steps, ends: steps.ends.map((end) => end / 1000) },
    reasons: history.verdicts().map(reasonOf),
    refused: facts.refusals.map(refusedOf),
    clients: facts.clients.map(clientOf).sort(byEnd),
    certificates: certificatesOf(facts),
    anchors: facts.anchors.map((anchor) => anchorOf(anchor, now)),
    keySets: facts.keySets.map(keySetOf),
    revocation: revocationOf(facts.revocationSources),
    upstreams: endpoints.map((endpoint) => upstreamOf(endpoint, history)),
    changes: facts.changes,
    threads: facts.threads.map(threadOf),
    audit: auditOf(audit),
  });
}

function trafficOf({ history, threads, config }: StatusFacts): Status['now'] {
  const { seconds, messages, ...minute } = history.minute();
  const sum = (gauge: 'inFlight' | 'connections' | 'unfinishedHandshakes') =>
    threads.reduce((total, { gauges }) => total + (gauges?.[gauge] ?? 0), 0);
  return {
    seconds,
    messagesPerSecond: seconds === 0 ? 0 : Math.round((10 * messages) / seconds) / 10,
    ...minute,
    budgetMs: Math.min(...config.routes.map(({ budget }) => budget)),
    maxBudgetMs: Math.max(...config.routes.map(({ budget }) => budget)),
    overBudget: overBudgetOf(history, config),
    inFlight: sum('inFlight'),
    connections: sum('connections'),
    unfinishedHandshakes: sum('unfinishedHandshakes'),
  };
}

/** At most. */
const maxOverBudget = 20;

/** A route that a reload has removed has no budget any more. */
function overBudgetOf(
  history: TrafficHistory,
  { routes }: StatusFacts['config'],
): Status['now']['overBudget'] {
  const budgets = new Map(routes.map(({ path, budget }) => [path, budget]));
  return history
    .overBudget()
    .flatMap(({ route, ...counts }) => {
      const budgetMs = budgets.get(route);
      return budgetMs === undefined ? [] : [{ route, budgetMs, ...counts }];
    })
    .slice(0, maxOverBudget);
}

const reasons: Readonly<Record<string, { readonly says: string; readonly advice: string }>> = {
  ...denyReasons,
  ...failureReasons,
};

/** What happened and what to do: the texts of docs/deny-reasons.md. */
function textsOf(reason: string): { readonly says: string; readonly advice: string } {
  const { says, advice } = reasons[reason] ?? { says: '', advice: '' };
  return { says, advice };
}

function reasonOf({ verdict, reason, count }: VerdictCount): ReasonCount {
  if (verdict === 'allow') return { verdict, reason: null, count, says: null, advice: null };
  return { verdict, reason, count, ...textsOf(reason) };
}

function refusedOf({ time, detail, leaf, reason, ...refusal }: CountedRefusal): RefusedHandshake {
  const { subject = null, issuer = null } = (leaf === null ? {} : JSON.parse(leaf)) as {
    subject?: string;
    issuer?: string;
  };
  return {
    time: isoTime(time),
    ...refusal,
    reason,
    detail: detail === null ? null : maskDetail(detail),
    ...textsOf(reason),
    subject,
    issuer,
  };
}

function clientOf({
  subject,
  issuer,
  serial,
  notAfter,
  seenAt,
}: StatusFacts['clients'][number]): ClientStatus {
  return {
    subject: cut(subject),
    issuer: cut(issuer),
    serial: cut(serial),
    lastSeen: isoTime(seenAt),
    notAfter: isoTime(notAfter),
  };
}

function auditOf({ lastSealAt, lastSealSeq, failingSince, ...audit }: StatusFacts['audit']): AuditStatus {
  const isSealed = lastSealAt !== null && lastSealSeq !== null;
  return {
    ...audit,
    failingSince: timeOf(failingSince),
    seal: isSealed ? { seq: lastSealSeq, time: isoTime(lastSealAt) } : null,
  };
}

function threadOf({ thread, gauges }: StatusFacts['threads'][number]): ThreadStatus {
  const { connections = 0, inFlight = 0, delay = 0 } = gauges ?? {};
  return { thread, connections, inFlight, loopDelayMs: delay };
}
