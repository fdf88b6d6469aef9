/** Counts the records of audit files in constant memory. */
import { Histogram } from '../../evidence/histogram.ts';
import { type AuditRecord, leafOf, numberOf, textOf } from '../reading/records.ts';
import { BoundedMap } from './bounded-map.ts';
import { type GroupField, groupKey } from './group-fields.ts';
import { TimeBuckets } from './time-buckets.ts';
import { isWithin, type TimeRange } from './time-range.ts';

export interface Span {
  /** ISO 8601. */
  first: string;
  last: string;
}

export interface ClientCount extends Span {
  readonly subject: string;
  readonly issuer: string;
  readonly serial: string;
  /** `sha256/…`, as clients.pins takes it. */
  readonly pin: string | null;
  allow: number;
  deny: number;
  failed: number;
}

export interface SourceCount extends Span {
  allow: number;
  deny: number;
  failed: number;
}

export interface RouteCount {
  messages: number;
  late: number;
  readonly total: Histogram;
  readonly upstream: Histogram;
}

export interface GroupCount extends Span {
  handshakes: number;
  messages: number;
  late: number;
  readonly total: Histogram | null;
}

export interface TallyOptions {
  readonly range: TimeRange;
  readonly by: readonly GroupField[];
  /** A message that takes longer is late, milliseconds. */
  readonly budgetMs: number;
}

const maxClients = 10_000;
const maxSources = 10_000;
const maxGroups = 10_000;
const maxRoutes = 1_000;
const maxOpenConnections = 100_000;
/** A histogram takes 13 KiB: not for each of ten thousand groups. */
const maxGroupHistograms = 200;

export class ReportTally {
  readonly options: TallyOptions;
  records = 0;
  /** Of the records within the range; null: there is none. */
  period: Span | null = null;
  readonly handshakes = { total: 0, resumed: 0, time: new Histogram() };
  /** `verdict reason`, in this form because a reason belongs to one verdict. */
  readonly reasons = new Map<
    string,
    { readonly verdict: string; readonly reason: string | null; count: number }
  >();
  readonly tlsVersions = new Map<string, number>();
  readonly clients = new BoundedMap<ClientCount>(maxClients);
  readonly sources = new BoundedMap<SourceCount>(maxSources);
  readonly messages = newRoute();
  /** By outcome and reason, by status, and by route. */
  readonly outcomes = new Map<
    string,
    { readonly outcome: string; readonly reason: string | null; count: number }
  >();
  readonly statuses = new Map<string, number>();
  readonly routes = new BoundedMap<RouteCount>(maxRoutes);
  /** Verdicts on open connections, by reason. */
  readonly withdrawn = new Map<string, number>();
  /** Other events, by `type event`. */
  readonly events = new Map<string, number>();
  /** Records that the gateway counted as lost, as the seals state. */
  lost = 0;
  readonly buckets = new TimeBuckets();
  readonly groups = new BoundedMap<GroupCount>(maxGroups);
  /** The handshake of a connection, for grouping its messages by client. */
  readonly #connections = new Map<string, AuditRecord>();
  #histograms = 0;

  constructor(options: TallyOptions) {
    this.options = options;
  }

  add(record: AuditRecord): void {
    const time = textOf(record, 'time') ?? '';
    const isCounted = isWithin(this.options.range, time);
    const { type } = record;
    // A handshake before the range describes the client of messages within it.
    if (type === 'handshake') this.#remember(record);
    if (!isCounted) return;
    this.records++;
    this.period = widened(this.period, time);
    switch (type) {
      case 'handshake':
        return this.#addHandshake(record, time);
      case 'message':
        return this.#addMessage(record, time);
      case 'verdict':
        return increase(this.withdrawn, textOf(record, 'reason') ?? 'unknown');
      case 'seal':
        this.lost += numberOf(record, 'lost') ?? 0;
        return;
      default:
        return increase(this.events, `${type} ${textOf(record, 'event') ?? ''}`.trim());
    }
  }

  #addHandshake(record: AuditRecord, time: string): void {
    const verdict = verdictOf(record);
    const reason = textOf(record, 'reason');
    this.handshakes.total++;
    if (record.resumed === true) this.handshakes.resumed++;
    const duration = numberOf(record, 'duration_ms');
    if (duration !== null && verdict !== 'failed') this.handshakes.time.record(duration);
    const counted = this.reasons.get(`${verdict} ${reason}`);
    if (counted === undefined) this.reasons.set(`${verdict} ${reason}`, { verdict, reason, count: 1 });
    else counted.count++;
    increase(this.tlsVersions, textOf(record, 'tls_version') ?? 'unknown');
    this.#addClient(record, { verdict, time });
    const source = this.sources.at(textOf(record, 'source_address') ?? 'unknown', newSource);
    if (source !== null) {
      source[verdict]++;
      widen(source, time);
    }
    this.buckets.at(Date.parse(time))[verdict]++;
    this.#group(record, { time, handshake: record })?.handshakes();
  }

  #addClient(
    record: AuditRecord,
    { verdict, time }: { readonly verdict: Verdict; readonly time: string },
  ): void {
    const leaf = leafOf(record);
    const [subject, issuer, serial] = ['subject', 'issuer', 'serial'].map((field) => textOf(leaf, field));
    if (subject == null || issuer == null || serial == null) return;
    const client = this.clients.at(`${issuer}\n${serial}`, () => ({
      ...{ subject, issuer, serial, pin: textOf(leaf, 'pin') },
      ...{ ...newSpan(), allow: 0, deny: 0, failed: 0 },
    }));
    if (client === null) return;
    client[verdict]++;
    widen(client, time);
  }

  #addMessage(record: AuditRecord, time: string): void {
    const outcome = textOf(record, 'outcome') ?? 'unknown';
    const reason = textOf(record, 'reason');
    const total = numberOf(record, 'total_ms');
    const upstream = numberOf(record, 'upstream_ms');
    const isLate = isLateMessage({ outcome, reason, total, budgetMs: this.options.budgetMs });
    const route = this.routes.at(textOf(record, 'route') ?? 'none', newRoute);
    for (const counts of route === null ? [this.messages] : [this.messages, route]) {
      counts.messages++;
      if (isLate) counts.late++;
      if (total !== null) counts.total.record(total);
      if (upstream !== null) counts.upstream.record(upstream);
    }
    const counted = this.outcomes.get(`${outcome} ${reason}`);
    if (counted === undefined) this.outcomes.set(`${outcome} ${reason}`, { outcome, reason, count: 1 });
    else counted.count++;
    increase(this.statuses, `${numberOf(record, 'status') ?? 'none'}`);
    const bucket = this.buckets.at(Date.parse(time));
    bucket.messages++;
    if (isLate) bucket.late++;
    const handshake = this.#connections.get(textOf(record, 'conn_id') ?? '') ?? null;
    this.#group(record, { time, handshake })?.message({ isLate, total });
  }

  /** null: not grouped, or there are too many groups. */
  #group(
    record: AuditRecord,
    { time, handshake }: { readonly time: string; readonly handshake: AuditRecord | null },
  ) {
    if (this.options.by.length === 0) return null;
    const group = this.groups.at(groupKey(this.options.by, { record, handshake }), () => this.#newGroup());
    if (group === null) return null;
    widen(group, time);
    return {
      handshakes: () => {
        group.handshakes++;
      },
      message: ({ isLate, total }: { readonly isLate: boolean; readonly total: number | null }) => {
        group.messages++;
        if (isLate) group.late++;
        if (total !== null) group.total?.record(total);
      },
    };
  }

  #newGroup(): GroupCount {
    const hasRoom = this.#histograms++ < maxGroupHistograms;
    return { ...newSpan(), handshakes: 0, messages: 0, late: 0, total: hasRoom ? new Histogram() : null };
  }

  /** Only where messages are grouped by what the handshake knows; the oldest is dropped first. */
  #remember(record: AuditRecord): void {
    const id = textOf(record, 'conn_id');
    if (id === null || !this.options.by.some((field) => field !== 'route')) return;
    if (this.#connections.size >= maxOpenConnections) {
      const [oldest] = this.#connections.keys();
      if (oldest !== undefined) this.#connections.delete(oldest);
    }
    this.#connections.set(id, record);
  }
}

type Verdict = 'allow' | 'deny' | 'failed';

function verdictOf(record: AuditRecord): Verdict {
  const verdict = textOf(record, 'verdict');
  return verdict === 'allow' || verdict === 'deny' ? verdict : 'failed';
}

/**
 * As `ehi_messages_late_total`: no complete response within the budget. A refused message is not late, nor is one whose
 * client did not read the response.
 */
function isLateMessage({
  outcome,
  reason,
  total,
  budgetMs,
}: {
  readonly outcome: string;
  readonly reason: string | null;
  readonly total: number | null;
  readonly budgetMs: number;
}): boolean {
  if (outcome === 'denied' || reason === 'answer_unread') return false;
  return outcome !== 'answered' || (total !== null && total > budgetMs);
}

function newSource(): SourceCount {
  return { ...newSpan(), allow: 0, deny: 0, failed: 0 };
}

function newRoute(): RouteCount {
  return { messages: 0, late: 0, total: new Histogram(), upstream: new Histogram() };
}

/** Before the first record. */
function newSpan(): Span {
  return { first: '~', last: '' };
}

/** ISO 8601 in UTC compares as text. */
function widen(span: Span, time: string): void {
  if (time < span.first) span.first = time;
  if (time > span.last) span.last = time;
}

function widened(span: Span | null, time: string): Span {
  const wide = span ?? { first: time, last: time };
  widen(wide, time);
  return wide;
}

function increase(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
