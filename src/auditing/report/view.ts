/** What a report shows, from the counts: the same values for the table, JSON, CSV and the page. */
import type { Histogram } from '../../evidence/histogram.ts';
import type { FileFacts } from '../reading/records.ts';
import { valuesOfKey } from './group-fields.ts';
import type { ClientCount, ReportTally, RouteCount, SourceCount } from './tally.ts';

/** Milliseconds; null: there is no value. */
export interface Percentiles {
  readonly count: number;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly p99_9: number | null;
  readonly max: number | null;
}

export interface GroupRow {
  readonly values: readonly string[];
  readonly handshakes: number;
  readonly messages: number;
  readonly late: number;
  readonly p50: number | null;
  readonly p99: number | null;
  readonly first: string;
  readonly last: string;
}

export interface ReportView {
  readonly files: FileFacts;
  readonly tally: ReportTally;
  readonly handshakeTime: Percentiles;
  readonly messageTime: Percentiles;
  readonly upstreamTime: Percentiles;
  /** The most frequent first. */
  readonly reasons: readonly {
    readonly verdict: string;
    readonly reason: string | null;
    readonly count: number;
  }[];
  readonly outcomes: readonly {
    readonly outcome: string;
    readonly reason: string | null;
    readonly count: number;
  }[];
  readonly clients: readonly ClientCount[];
  readonly sources: readonly (readonly [address: string, count: SourceCount])[];
  readonly routes: readonly (readonly [route: string, count: RouteCount])[];
  readonly groups: readonly GroupRow[];
  /** What the report leaves out or could not read, as sentences. */
  readonly remarks: readonly string[];
}

export function reportView(tally: ReportTally, files: FileFacts): ReportView {
  return {
    ...{ files, tally },
    handshakeTime: percentilesOf(tally.handshakes.time),
    messageTime: percentilesOf(tally.messages.total),
    upstreamTime: percentilesOf(tally.messages.upstream),
    reasons: [...tally.reasons.values()].sort(byCount),
    outcomes: [...tally.outcomes.values()].sort(byCount),
    clients: [...tally.clients.entries.values()].sort((one, other) => totalOf(other) - totalOf(one)),
    sources: [...tally.sources.entries].sort(([, one], [, other]) => totalOf(other) - totalOf(one)),
    routes: [...tally.routes.entries].sort(([, one], [, other]) => other.messages - one.messages),
    groups: groupsOf(tally),
    remarks: remarksOf(tally, files),
  };
}

export function percentilesOf(histogram: Histogram): Percentiles {
  const at = (share: number) => roundedMs(histogram.percentile(share));
  return {
    count: histogram.count,
    ...{ p50: at(0.5), p90: at(0.9), p99: at(0.99), p99_9: at(0.999) },
    max: histogram.count === 0 ? null : roundedMs(histogram.max),
  };
}

function groupsOf(tally: ReportTally): GroupRow[] {
  return [...tally.groups.entries]
    .map(([key, { handshakes, messages, late, total, first, last }]) => ({
      values: valuesOfKey(key),
      ...{ handshakes, messages, late, first, last },
      p50: total === null ? null : roundedMs(total.percentile(0.5)),
      p99: total === null ? null : roundedMs(total.percentile(0.99)),
    }))
    .sort((one, other) => other.handshakes + other.messages - one.handshakes - one.messages);
}

function remarksOf(tally: ReportTally, { unreadable, firstUnreadable }: FileFacts): string[] {
  const omitted = [
    [tally.clients.omitted, 'handshakes of further clients'],
    [tally.sources.omitted, 'handshakes from further addresses'],
    [tally.routes.omitted, 'messages of further routes'],
    [tally.groups.omitted, 'records of further groups'],
  ] as const;
  return [
    ...(firstUnreadable === null
      ? []
      : [
          `${unreadable} lines are no audit records, the first in ${firstUnreadable.file}, line ${firstUnreadable.line}`,
        ]),
    ...(tally.lost === 0 ? [] : [`the gateway states that ${tally.lost} records were lost`]),
    ...omitted.flatMap(([count, what]) =>
      count === 0 ? [] : [`${count} ${what} are in the totals and not listed`],
    ),
  ];
}

function totalOf({ allow, deny, failed }: SourceCount): number {
  return allow + deny + failed;
}

function byCount(one: { readonly count: number }, other: { readonly count: number }): number {
  return other.count - one.count;
}

function roundedMs(value: number | null): number | null {
  return value === null ? null : Math.round(value * 100) / 100;
}
