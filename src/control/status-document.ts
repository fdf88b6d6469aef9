/** Builds the document of `/api/status` from the present state. Pure: it is called when somebody reads the document. */
import type {
  AnchorStatus,
  AuditStatus,
  CertificateStatus,
  Change,
  ClientStatus,
  GatewayStatus,
  ReasonCount,
  RefusedHandshake,
  RevocationStatus,
  Status,
  ThreadStatus,
  UpstreamStatus,
} from '../admin/status.ts';
import { cut, maskText } from '../audit/text.ts';
import type { LoadedConfig } from '../config/load.ts';
import { failureReasons } from '../handshake/failure-reasons.ts';
import { denyReasons } from '../identity/deny-reasons.ts';
import type { SourceState } from '../revocation/event.ts';
import { isoTime } from '../telemetry/clock.ts';
import type { EndpointReport } from '../telemetry/endpoint-report.ts';
import type { Gauges } from '../telemetry/meter.ts';
import type { CountedRefusal } from '../telemetry/refusals.ts';
import type { TrafficHistory, VerdictCount } from '../telemetry/traffic-history.ts';
import { skippedAt } from '../trust/skipped-certificates.ts';
import type { AnchorSource } from '../trust/state.ts';

export interface StatusFacts {
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly gateway: Omit<GatewayStatus, 'node' | 'startedAt'> & { readonly startedAt: number };
  readonly config: LoadedConfig['config'];
  readonly serverCertificates: LoadedConfig['serverCertificates'];
  readonly history: TrafficHistory;
  readonly refusals: readonly CountedRefusal[];
  readonly clients: readonly {
    readonly subject: string;
    readonly issuer: string;
    readonly serial: string;
    readonly notAfter: number;
    readonly seenAt: number;
  }[];
  readonly anchors: readonly AnchorSource[];
  readonly revocationSources: readonly SourceState[];
  readonly endpoints: readonly EndpointReport[];
  readonly changes: readonly Change[];
  /** The last gauges of each relay thread. */
  readonly threads: readonly { readonly thread: number; readonly gauges: Gauges | undefined }[];
  readonly audit: Omit<AuditStatus, 'failingSince'> & { readonly failingSince: number | null };
}

/** Of each of the two lists. */
const maxListed = 200;

export function statusOf(facts: StatusFacts): Status {
  const { now, gateway, history, audit, endpoints } = facts;
  const steps = history.steps();
  return {
    version: 1,
    time: isoTime(now),
    gateway: { ...gateway, node: process.versions.node, startedAt: isoTime(gateway.startedAt) },
    now: trafficOf(facts),
    history: { ...steps, ends: steps.ends.map((end) => end / 1000) },
    reasons: history.verdicts().map(reasonOf),
    refused: facts.refusals.toSorted((one, other) => other.time - one.time).map(refusedOf),
    clients: facts.clients.map(clientOf).sort(byEnd),
    certificates: certificatesOf(facts).sort(byEnd).slice(0, maxListed),
    anchors: facts.anchors.map((anchor) => anchorOf(anchor, now)),
    revocation: facts.revocationSources.toSorted(byUrgency).slice(0, maxListed).map(revocationOf),
    upstreams: endpoints.map((endpoint) => upstreamOf(endpoint, history)),
    changes: facts.changes,
    threads: facts.threads.map(threadOf),
    audit: { ...audit, failingSince: timeOf(audit.failingSince) },
  };
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
    inFlight: sum('inFlight'),
    connections: sum('connections'),
    unfinishedHandshakes: sum('unfinishedHandshakes'),
  };
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
    detail: masked(detail),
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

interface Dated {
  readonly subject: string;
  readonly serial: string;
  readonly notAfter: number;
}

function certificatesOf({ serverCertificates, anchors }: StatusFacts): CertificateStatus[] {
  const of = (role: 'server' | 'anchor', anchor: string | null) => {
    return ({ subject, serial, notAfter }: Dated): CertificateStatus => {
      return { role, anchor, name: cut(subject), serial: cut(serial), notAfter: isoTime(notAfter) };
    };
  };
  return [
    ...serverCertificates.flatMap(({ chain }) => chain.map(of('server', null))),
    ...anchors.flatMap(({ name, state }) => (state?.certificates ?? []).map(of('anchor', name))),
  ];
}

function byEnd(one: { readonly notAfter: string }, other: { readonly notAfter: string }): number {
  return one.notAfter < other.notAfter ? -1 : one.notAfter > other.notAfter ? 1 : 0;
}

function anchorOf({ name, state, pinned, hasPendingRoot, problem }: AnchorSource, now: number): AnchorStatus {
  return {
    name,
    source: state?.source ?? null,
    refreshedAt: timeOf(state?.fetchedAt ?? null),
    certificates: state?.certificates.length ?? 0,
    passedOver: state === null ? 0 : skippedAt(state, now).length,
    rootPinned: pinned,
    pendingRoot: hasPendingRoot,
    lastError: masked(problem),
  };
}

/** Those that fail first, then those whose data ends first; a source without data comes before one that has some. */
function byUrgency(one: SourceState, other: SourceState): number {
  return other.failures - one.failures || (one.nextUpdate ?? 0) - (other.nextUpdate ?? 0);
}

function revocationOf(source: SourceState): RevocationStatus {
  const { anchor, kind, address, subject, serial, fetchedAt, nextUpdate, failures, problem, entries } =
    source;
  return {
    anchor,
    kind,
    address: maskText(address),
    subject: subject === null ? null : cut(subject),
    serial: serial === null ? null : cut(serial),
    refreshedAt: timeOf(fetchedAt),
    nextUpdate: timeOf(nextUpdate),
    failures,
    lastError: masked(problem),
    entries,
  };
}

function upstreamOf(endpoint: EndpointReport, history: TrafficHistory): UpstreamStatus {
  const { url, state, connections, last_failure, last_message_failure } = endpoint;
  // The only endpoint of a route is never passed over.
  const isUnreachable = history.isUnreachable(url) && connections.idle + connections.in_use === 0;
  return {
    url,
    state: isUnreachable
      ? 'down'
      : ({ used: 'up', partly_used: 'partly', passed_over: 'down' } as const)[state],
    idleConnections: connections.idle,
    busyConnections: connections.in_use,
    failures: history.failures(url),
    lastFailure: [last_failure, last_message_failure].reduce((one, other) =>
      one === null || (other !== null && other.time > one.time) ? other : one,
    ),
  };
}

function threadOf({ thread, gauges }: StatusFacts['threads'][number]): ThreadStatus {
  const { connections = 0, inFlight = 0, delay = 0 } = gauges ?? {};
  return { thread, connections, inFlight, loopDelayMs: delay };
}

function timeOf(milliseconds: number | null): string | null {
  return milliseconds === null ? null : isoTime(milliseconds);
}

function masked(text: string | null): string | null {
  return text === null ? null : maskText(text);
}
