/** A report as JSON; docs/audit.md describes it. */
import { percentilesOf, type ReportView } from './view.ts';

export function reportJson(view: ReportView): object {
  const { tally, files } = view;
  const { by, budgetMs, range } = tally.options;
  return {
    version: 1,
    files: files.files,
    lines: files.lines,
    seals: files.seals,
    unreadable_lines: files.unreadable,
    since: range.since,
    until: range.until,
    period: tally.period,
    records: tally.records,
    records_lost: tally.lost,
    handshakes: {
      ...{ count: tally.handshakes.total, resumed: tally.handshakes.resumed, reasons: view.reasons },
      tls_versions: Object.fromEntries(tally.tlsVersions),
      duration_ms: view.handshakeTime,
    },
    clients: view.clients,
    sources: view.sources.map(([address, counts]) => ({ address, ...counts })),
    messages: {
      ...{ count: tally.messages.messages, late: tally.messages.late, budget_ms: budgetMs },
      ...{ outcomes: view.outcomes, statuses: Object.fromEntries(tally.statuses) },
      ...{ total_ms: view.messageTime, upstream_ms: view.upstreamTime },
    },
    routes: view.routes.map(([route, { messages, late, total, upstream }]) => ({
      ...{ route, messages, late, total_ms: percentilesOf(total), upstream_ms: percentilesOf(upstream) },
    })),
    withdrawn: Object.fromEntries(tally.withdrawn),
    events: Object.fromEntries(tally.events),
    by,
    groups: view.groups.map(({ values, p50, p99, ...group }) => ({
      ...Object.fromEntries(by.map((field, index) => [field, values[index] ?? ''])),
      ...{ ...group, total_ms_p50: p50, total_ms_p99: p99 },
    })),
    notes: view.remarks,
  };
}
