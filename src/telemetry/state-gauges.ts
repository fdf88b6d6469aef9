/** Gauges of state that the control thread owns; each is read at every scrape. */

import type { AuditCounts } from './audit-counts.ts';
import type { MetricName } from './metric-table.ts';
import { describeMetric, type MetricRegistry } from './registry.ts';
import { type RevocationSourceFacts, revocationSeries } from './revocation-series.ts';

export interface MetricsOptions {
  /** The gateway's version. */
  readonly version: string;
  readonly audit: AuditFacts;
  /** Lines of the log that stderr did not accept, since the start. */
  readonly logLinesDropped: () => number;
  readonly logLinesCollapsed: () => number;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** The certificates of the server's chains in use. */
  readonly serverCertificates: () => readonly ExpiryFacts[];
  /** The trust anchors in use. */
  readonly anchors: () => readonly AnchorFacts[];
  /** The CRLs and OCSP answers in use. */
  readonly revocationSources: () => readonly RevocationSourceFacts[];
  /** Every configured key set. */
  readonly keySets: () => readonly KeySetFacts[];
}

interface KeySetFacts {
  readonly source: string;
  /** Milliseconds since the epoch: when its source last confirmed it; null: never. */
  readonly fetchedAt: number | null;
  /** null: never read, or no enforced use needs a key. */
  readonly usable: number | null;
}

interface AuditFacts {
  /** Records lost since the start. */
  readonly lost: number;
  readonly queuedBytes: number;
  /** Milliseconds since the epoch; null: records are written. */
  readonly failingSince: number | null;
  readonly counts: Readonly<AuditCounts>;
}

export interface ExpiryFacts {
  readonly subject: string;
  readonly serial: string;
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

interface ClientLeafFacts extends ExpiryFacts {
  /** Milliseconds since the epoch: when a client with it was last authorized. */
  readonly seenAt: number;
}

interface AnchorFacts {
  readonly name: string;
  /** Milliseconds since the epoch: when the anchor's source last confirmed it. */
  readonly fetchedAt: number;
  readonly pinned: boolean;
  /** The certificates of the anchor that are not used. */
  readonly passedOver: readonly { readonly reason: string }[];
  readonly certificates: readonly ExpiryFacts[];
}

/** `clientLeaves`: the client certificates whose expiry is reported. */
export function registerStateGauges(
  registry: MetricRegistry,
  options: MetricsOptions,
  clientLeaves: () => readonly ClientLeafFacts[],
): void {
  registerCertificates(registry, options, clientLeaves);
  registerTrust(registry, options);
  registerRevocation(registry, options);
  registry.gauge('ehi_key_set_age_seconds', (gauge) => {
    for (const { source, fetchedAt } of options.keySets())
      if (fetchedAt !== null) gauge.set({ source }, (options.now() - fetchedAt) / 1000);
  });
  registry.gauge('ehi_key_set_usable_keys', (gauge) => {
    for (const { source, usable } of options.keySets()) if (usable !== null) gauge.set({ source }, usable);
  });
  registry.gauge('ehi_build_info', (gauge) =>
    gauge.set({ version: options.version, node: process.versions.node }, 1),
  );
  registerAudit(registry, options.audit);
  registry.total('ehi_log_lines_dropped_total', options.logLinesDropped);
  registry.total('ehi_log_lines_collapsed_total', options.logLinesCollapsed);
}

function registerAudit(registry: MetricRegistry, audit: AuditFacts): void {
  registry.total('ehi_audit_records_lost_total', () => audit.lost);
  registry.gauge('ehi_audit_queue_bytes', (gauge) => gauge.set(audit.queuedBytes));
  registry.gauge('ehi_audit_failing_since_timestamp_seconds', (gauge) =>
    gauge.set((audit.failingSince ?? 0) / 1000),
  );
  registry.total('ehi_audit_seals_total', () => audit.counts.seals);
  registry.gauge('ehi_audit_last_seal_timestamp_seconds', (gauge) =>
    gauge.set((audit.counts.lastSealAt ?? 0) / 1000),
  );
  registry.total('ehi_audit_seal_failures_total', () => audit.counts.sealFailures);
  registry.gauge('ehi_audit_seals_missing', (gauge) => gauge.set(audit.counts.sealsMissing));
  registry.total('ehi_audit_seal_copy_failures_total', () => audit.counts.sealCopyFailures);
  registry.total('ehi_audit_rotations_total', () => audit.counts.rotations);
  registry.total('ehi_audit_rotation_failures_total', () => audit.counts.rotationFailures);
  registry.total('ehi_audit_truncations_total', () => audit.counts.truncations);
}

function registerCertificates(
  registry: MetricRegistry,
  { serverCertificates, anchors }: MetricsOptions,
  clientLeaves: () => readonly ClientLeafFacts[],
): void {
  registry.gauge('ehi_client_certificate_last_seen_timestamp_seconds', (gauge) => {
    for (const { subject: name, serial, seenAt } of clientLeaves())
      gauge.set({ name, serial }, seenAt / 1000);
  });
  registry.gauge('ehi_certificate_not_after_timestamp_seconds', (gauge) => {
    const set = (role: string, certificates: readonly ExpiryFacts[]): void => {
      for (const { subject: name, serial, notAfter } of certificates)
        gauge.set({ role, name, serial }, notAfter / 1000);
    };
    set('server', serverCertificates());
    for (const { certificates } of anchors()) set('anchor', certificates);
    set('client', clientLeaves());
  });
}

function registerTrust(registry: MetricRegistry, { anchors, now }: MetricsOptions): void {
  registry.gauge('ehi_trust_age_seconds', (gauge) => {
    for (const { name, fetchedAt } of anchors()) gauge.set({ anchor: name }, (now() - fetchedAt) / 1000);
  });
  registry.gauge('ehi_trust_root_pinned', (gauge) => {
    for (const { name, pinned } of anchors()) gauge.set({ anchor: name }, pinned ? 1 : 0);
  });
  registry.gauge('ehi_trust_certificates_passed_over', (gauge) => {
    for (const { name, passedOver } of anchors()) {
      for (const reason of ['expired', 'not_yet_valid', 'unusable', 'unreadable']) {
        const count = passedOver.filter((each) => each.reason === reason).length;
        gauge.set({ anchor: name, reason }, count);
      }
    }
  });
}

function registerRevocation(registry: MetricRegistry, { revocationSources, now }: MetricsOptions): void {
  const show = (name: MetricName, options: Parameters<typeof revocationSeries>[1]) =>
    registry.gauge(name, (gauge) => {
      const wanted = new Set<string>(describeMetric(name).labelNames);
      for (const { labels, value } of revocationSeries(revocationSources(), options))
        gauge.set(Object.fromEntries(Object.entries(labels).filter(([label]) => wanted.has(label))), value);
    });
  show('ehi_revocation_age_seconds', {
    value: ({ fetchedAt }) => fetchedAt && (now() - fetchedAt) / 1000,
    worse: Math.max,
  });
  show('ehi_revocation_next_update_timestamp_seconds', {
    value: ({ nextUpdate }) => nextUpdate && nextUpdate / 1000,
    worse: Math.min,
  });
  show('ehi_revocation_failures', { value: ({ failures }) => failures, worse: Math.max });
  show('ehi_revocation_entries', { value: ({ entries }) => entries, worse: Math.max });
  show('ehi_revocation_unclear_entries', { value: ({ unclear }) => unclear, worse: Math.max });
}
