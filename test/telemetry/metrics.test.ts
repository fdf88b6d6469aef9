import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { noAuditCounts } from '../../src/telemetry/audit-counts.ts';
import { budgetBounds, secondsBounds } from '../../src/telemetry/bucket-counts.ts';
import { Meter, type MeterDelta } from '../../src/telemetry/meter.ts';
import { metricTable } from '../../src/telemetry/metric-table.ts';
import { Metrics, type MetricsOptions } from '../../src/telemetry/metrics.ts';
import { noRoute } from '../../src/telemetry/route-meter.ts';

function opened(options: Partial<MetricsOptions> = {}) {
  return new Metrics({
    version: '1.2.3',
    audit: { lost: 0, queuedBytes: 0, failingSince: null, counts: noAuditCounts() },
    logLinesDropped: () => 0,
    logLinesCollapsed: () => 0,
    now: () => 0,
    serverCertificates: () => [],
    anchors: () => [],
    revocationSources: () => [],
    keySets: () => [],
    ...options,
  });
}

/** What crosses the thread boundary. */
function taken(meter: Meter): MeterDelta {
  const delta = meter.take();
  if (delta === null) throw new Error('nothing changed');
  return structuredClone(delta);
}

const issuer = 'CN=Issuing CA';
const leaf = (subject: string, notAfter: number, serial = '01') => ({ subject, issuer, serial, notAfter });
const notAfterMetric = 'ehi_certificate_not_after_timestamp_seconds';

async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.text();
  return text.split('\n').filter((line) => line.startsWith(name) && /^[ {]/.test(line.slice(name.length)));
}

describe('a meter', () => {
  it('returns null when nothing changed', () => {
    const meter = new Meter();
    expect(meter.take()).toBeNull();
    meter.connections++;
    expect(meter.take()).toMatchObject({ connections: 1, inFlight: 0, handshakes: [], routes: [] });
    expect(meter.take()).toBeNull();
    meter.connections--;
    meter.inFlight++;
    expect(meter.take()).toMatchObject({ connections: 0, inFlight: 1 });
  });

  it('reports the measures of load, but no change of the delay below a millisecond', () => {
    const meter = new Meter();
    let load = { unfinishedHandshakes: 0, delay: 0.3 };
    meter.load = () => load;
    expect(meter.take()).toBeNull();
    load = { unfinishedHandshakes: 2, delay: 20.4 };
    expect(meter.take()).toMatchObject({ unfinishedHandshakes: 2, delay: 20 });
    load = { unfinishedHandshakes: 2, delay: 19.6 };
    expect(meter.take()).toBeNull();
    const route = meter.route('/');
    route.inFlight++;
    expect(meter.take()?.routes).toMatchObject([{ route: '/', inFlight: 1, codes: [] }]);
    expect(meter.take()).toBeNull();
  });

  it('returns each observation once', () => {
    const meter = new Meter();
    meter.handshake('allow', 'none', 3);
    meter.handshake('allow', 'none', 3);
    meter.handshake('deny', 'untrusted', Number.NaN);
    meter.route('/').message(200, 12, 10);
    meter.route('/').message(404, 1, Number.NaN);
    meter.clientCertificate(leaf('CN=a', 5_000), 0);
    const delta = taken(meter);
    expect(delta.handshakes).toEqual([
      ['allow', 'none', 2],
      ['deny', 'untrusted', 1],
    ]);
    expect(delta.clientCertificates).toEqual([leaf('CN=a', 5_000)]);
    expect(delta.handshakeSeconds.counts.reduce((sum, count) => sum + count)).toBe(2);
    const [route] = delta.routes;
    expect(route).toMatchObject({
      route: '/',
      codes: [
        [200, 1],
        [404, 1],
      ],
    });
    expect(route?.total.sum).toBeCloseTo(0.013);
    expect(route?.upstream.sum).toBeCloseTo(0.01);
    expect(route?.overhead.sum).toBeCloseTo(0.002);
    expect(meter.take()).toBeNull();
    meter.clientCertificate(leaf('CN=b', 6_000), 0);
    expect(taken(meter)).toMatchObject({
      handshakes: [],
      routes: [],
      clientCertificates: [leaf('CN=b', 6_000)],
    });
  });
});

describe('the metrics', () => {
  it('are exactly those of the table and of the process', async () => {
    const metrics = opened();
    const meter = new Meter();
    meter.handshake('allow', 'none', 3);
    meter.route('/').message(200, 12, 10);
    metrics.merge(1, taken(meter));
    const described = (await metrics.text()).split('\n').filter((line) => line.startsWith('# TYPE ehi_'));
    expect(described.sort()).toEqual(metricTable.map(({ name, type }) => `# TYPE ${name} ${type}`).sort());
    expect(await metrics.text()).toContain('process_cpu_seconds_total');
    expect(await samples(metrics, 'ehi_build_info')).toEqual([
      `ehi_build_info{version="1.2.3",node="${process.versions.node}"} 1`,
    ]);
    expect(metrics.contentType).toContain('text/plain');
  });

  it('sum the counts of all threads, and keep them when a thread ends', async () => {
    const metrics = opened();
    for (const thread of [1, 2]) {
      const meter = new Meter();
      meter.connections = 3;
      meter.inFlight = 2;
      meter.handshake('allow', 'none', 1);
      meter.route('/ehi').message(200, 5, 4);
      metrics.merge(thread, taken(meter));
    }
    expect(await samples(metrics, 'ehi_connections')).toEqual(['ehi_connections 6']);
    metrics.threadGone(1);
    metrics.threadRestarted();
    expect(await samples(metrics, 'ehi_connections')).toEqual(['ehi_connections 3']);
    expect(await samples(metrics, 'ehi_in_flight')).toEqual(['ehi_in_flight 2']);
    expect(await samples(metrics, 'ehi_relay_thread_restarts_total')).toEqual([
      'ehi_relay_thread_restarts_total 1',
    ]);
    expect(await samples(metrics, 'ehi_handshakes_total')).toEqual([
      'ehi_handshakes_total{verdict="allow",reason="none"} 2',
    ]);
    expect(await samples(metrics, 'ehi_messages_total')).toEqual([
      'ehi_messages_total{route="/ehi",code="200"} 2',
    ]);
    expect(await samples(metrics, 'ehi_message_seconds_count')).toEqual([
      'ehi_message_seconds_count{route="/ehi"} 2',
    ]);
  });

  it('sum the messages in flight of all threads, and report the longest delay', async () => {
    const metrics = opened();
    const meters = [5, 300, 0].map((delay, thread) => {
      const meter = new Meter();
      meter.load = () => ({ unfinishedHandshakes: thread, delay });
      meter.route('/ehi').inFlight = 2;
      meter.route(noRoute).message(400, Number.NaN, Number.NaN);
      metrics.merge(thread, taken(meter));
      return meter;
    });
    const shown = async () =>
      Promise.all(
        ['ehi_route_in_flight', 'ehi_unfinished_handshakes', 'ehi_relay_loop_delay_seconds'].map((name) =>
          samples(metrics, name),
        ),
      );
    expect(await shown()).toEqual([
      ['ehi_route_in_flight{route="/ehi"} 6'],
      ['ehi_unfinished_handshakes 3'],
      ['ehi_relay_loop_delay_seconds 0.3'],
    ]);
    // What another route does says nothing of this one.
    const [first] = meters as [Meter];
    first.route('/other').inFlight = 1;
    metrics.merge(0, taken(first));
    metrics.threadGone(1);
    expect(await shown()).toEqual([
      ['ehi_route_in_flight{route="/ehi"} 4', 'ehi_route_in_flight{route="/other"} 1'],
      ['ehi_unfinished_handshakes 2'],
      ['ehi_relay_loop_delay_seconds 0.005'],
    ]);
    for (const thread of [0, 2]) metrics.threadGone(thread);
    expect(await shown()).toEqual([[], ['ehi_unfinished_handshakes 0'], ['ehi_relay_loop_delay_seconds 0']]);
  });

  it('report messages by the budget of their route, and responses without a content type', async () => {
    const metrics = opened();
    const meter = new Meter();
    const route = meter.route('/ehi');
    for (const total of [20, 200, 200.1, 5000]) {
      route.message(200, total, total);
      route.budget(total, 200, true);
    }
    route.untyped++;
    meter.route('/other').message(200, 300, 300);
    meter.route('/other').budget(300, 400, true);
    meter.route(noRoute).message(400, Number.NaN, Number.NaN);
    metrics.merge(1, taken(meter));
    expect(meter.take()).toBeNull();
    expect(await samples(metrics, 'ehi_messages_late_total')).toEqual([
      'ehi_messages_late_total{route="/ehi"} 2',
      'ehi_messages_late_total{route="/other"} 0',
    ]);
    expect(await samples(metrics, 'ehi_upstream_answers_without_content_type_total')).toEqual([
      'ehi_upstream_answers_without_content_type_total{route="/ehi"} 1',
      'ehi_upstream_answers_without_content_type_total{route="/other"} 0',
    ]);
    const buckets = await samples(metrics, 'ehi_message_budget_ratio_bucket');
    const share = (le: string) => `ehi_message_budget_ratio_bucket{le="${le}",route="/ehi"}`;
    expect(buckets).toHaveLength(2 * (budgetBounds.length + 1));
    expect(buckets).toEqual(
      expect.arrayContaining([
        `${share('0.05')} 0`,
        `${share('0.1')} 1`,
        `${share('1')} 2`,
        `${share('1.5')} 3`,
        `${share('10')} 3`,
        `${share('+Inf')} 4`,
      ]),
    );
    expect(await samples(metrics, 'ehi_message_budget_ratio_count')).toEqual([
      'ehi_message_budget_ratio_count{route="/ehi"} 4',
      'ehi_message_budget_ratio_count{route="/other"} 1',
    ]);
  });

  it('print histograms as prom-client does, with 0.2 s among the bounds', async () => {
    expect(secondsBounds).toContain(0.2);
    // Also on the bounds themselves, which belong to their own bucket.
    const durations = fc.oneof(
      fc.integer({ min: 0, max: 1e8 }).map((us) => us / 1000),
      fc.constantFrom(...secondsBounds.map((s) => s * 1000)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(durations, { minLength: 1, maxLength: 50 }), async (milliseconds) => {
        const registry = new Registry();
        const name = 'ehi_message_seconds';
        const model = new Histogram({
          name,
          help: 'x',
          labelNames: ['route'],
          buckets: [...secondsBounds],
          registers: [registry],
        });
        const metrics = opened();
        const meter = new Meter();
        for (const [index, duration] of milliseconds.entries()) {
          model.observe({ route: '/"quoted"' }, duration / 1000);
          meter.route('/"quoted"').message(200, duration, Number.NaN);
          if (index % 7 === 0) metrics.merge(1, taken(meter));
        }
        const rest = meter.take();
        if (rest !== null) metrics.merge(1, rest);
        const lines = (text: string) => text.split('\n').filter((line) => line.startsWith(name));
        const [ours, theirs] = [lines(await metrics.text()), lines(await registry.metrics())];
        const isSum = (line: string) => line.includes('_sum');
        expect(ours.filter((line) => !isSum(line))).toEqual(theirs.filter((line) => !isSum(line)));
        expect(Number(ours.find(isSum)?.split(' ').at(-1))).toBeCloseTo(
          Number(theirs.find(isSum)?.split(' ').at(-1)),
          9,
        );
      }),
      { numRuns: 50 },
    );
  });

  it('report every certificate of a client: a valid one does not hide one that expires', async () => {
    const metrics = opened();
    const meter = new Meter();
    meter.clientCertificate(leaf('CN=a', 5_000, '0a'), 0);
    meter.clientCertificate(leaf('CN=a', 90_000, '0b'), 0);
    metrics.merge(1, taken(meter));
    const labels = (serial: string) => `${notAfterMetric}{role="client",name="CN=a",serial="${serial}"}`;
    expect(await samples(metrics, notAfterMetric)).toEqual([`${labels('0a')} 5`, `${labels('0b')} 90`]);
  });

  it('report when each client certificate was last authorized', async () => {
    let now = 1_000;
    const metrics = opened({ now: () => now });
    const name = 'ehi_client_certificate_last_seen_timestamp_seconds';
    const meter = new Meter();
    for (const serial of ['0a', '0b']) meter.clientCertificate(leaf('CN=a', 90_000, serial), now);
    metrics.merge(1, taken(meter));
    now = 7_000;
    meter.clientCertificate(leaf('CN=a', 90_000, '0b'), now);
    metrics.merge(1, taken(meter));
    const labels = (serial: string) => `${name}{name="CN=a",serial="${serial}"}`;
    expect(await samples(metrics, name)).toEqual([`${labels('0a')} 1`, `${labels('0b')} 7`]);
  });

  it('report the 100 client leaves that expire first, whenever they were seen', async () => {
    const metrics = opened();
    const meter = new Meter();
    for (let n = 0; n < 60; n++) meter.clientCertificate(leaf(`CN=${n}`, n * 1000), 0);
    metrics.merge(1, taken(meter));
    for (let n = 200; n > 60; n--) meter.clientCertificate(leaf(`CN=${n}`, n * 1000), 0);
    metrics.merge(2, taken(meter));
    const shown = await samples(metrics, notAfterMetric);
    const wanted = [...Array(60).keys(), ...Array.from({ length: 40 }, (_, index) => 61 + index)];
    expect(shown.map((line) => Number(line.split(' ').at(-1))).sort((one, other) => one - other)).toEqual(
      wanted,
    );
  });

  it('keep at most 100 client leaves between two batches, those that expire first', () => {
    const meter = new Meter();
    for (let n = 0; n < 1_000; n++) meter.clientCertificate(leaf(`CN=${n}`, 1_000_000 - n), 0);
    expect(taken(meter).clientCertificates.map(({ subject }) => subject)).toEqual(
      Array.from({ length: 100 }, (_, index) => `CN=${900 + index}`),
    );
  });

  it('drop only a client leaf not seen for a day that has expired or whose subject has a later one', async () => {
    const hour = 3_600_000;
    let now = 0;
    const metrics = opened({ now: () => now });
    const see = (...leaves: readonly ReturnType<typeof leaf>[]) => {
      const meter = new Meter();
      for (const each of leaves) meter.clientCertificate(each, now);
      metrics.merge(1, taken(meter));
    };
    const shown = async () =>
      (await samples(metrics, notAfterMetric)).map((line) =>
        /name="CN=(.*)",serial="(.*)"/.exec(line)?.slice(1).join(),
      );
    see(leaf('CN=renewed', 900 * hour, '01'), leaf('CN=rare', 900 * hour), leaf('CN=ends', 2 * hour));
    now = 20 * hour;
    see(leaf('CN=renewed', 9_000 * hour, '02'));
    expect(await shown()).toEqual(['renewed,01', 'rare,01', 'ends,01', 'renewed,02']);
    now = 25 * hour;
    expect(await shown()).toEqual(['rare,01', 'renewed,02']);
    now = 800 * hour;
    expect(await shown()).toEqual(['rare,01', 'renewed,02']);
  });

  it('report server and anchor certificates, however many leaves there are', async () => {
    const root = leaf('CN=root', 2_000);
    // As while a CA is rotated: one name, two certificates.
    const renewed = leaf('CN=root', 9_000, '02');
    const metrics = opened({
      serverCertificates: () => [leaf('CN=gateway', 1_000)],
      anchors: () => [
        { name: 'own', fetchedAt: 0, pinned: false, passedOver: [], certificates: [root, renewed] },
      ],
    });
    const meter = new Meter();
    for (let n = 0; n < 200; n++) meter.clientCertificate(leaf(`CN=${n}`, 0), 0);
    metrics.merge(0, taken(meter));
    const shown = await samples(metrics, notAfterMetric);
    expect(shown).toHaveLength(103);
    const labels = (role: string, name: string, serial: string) =>
      `${notAfterMetric}{role="${role}",name="${name}",serial="${serial}"}`;
    expect(shown).toContain(`${labels('server', 'CN=gateway', '01')} 1`);
    expect(shown).toContain(`${labels('anchor', 'CN=root', '01')} 2`);
    expect(shown).toContain(`${labels('anchor', 'CN=root', '02')} 9`);
  });

  it('report CRL restarts, starting at 0', async () => {
    const metrics = opened({
      anchors: () => [{ name: 'own', fetchedAt: 0, pinned: true, passedOver: [], certificates: [] }],
    });
    const name = 'ehi_revocation_crl_restarts_total';
    expect(await samples(metrics, name)).toEqual([`${name}{anchor="own"} 0`]);
    metrics.crlRestarted('own');
    expect(await samples(metrics, name)).toEqual([`${name}{anchor="own"} 1`]);
  });

  it('report the certificates of an anchor that are not used', async () => {
    const passedOver = [{ reason: 'expired' }, { reason: 'expired' }, { reason: 'unreadable' }];
    const metrics = opened({
      anchors: () => [{ name: 'own', fetchedAt: 0, pinned: true, passedOver, certificates: [] }],
    });
    const name = 'ehi_trust_certificates_passed_over';
    expect(await samples(metrics, name)).toEqual([
      `${name}{anchor="own",reason="expired"} 2`,
      `${name}{anchor="own",reason="not_yet_valid"} 0`,
      `${name}{anchor="own",reason="unusable"} 0`,
      `${name}{anchor="own",reason="unreadable"} 1`,
    ]);
  });

  it('report the age of trust at the time of the scrape', async () => {
    let now = 10_000;
    const metrics = opened({
      now: () => now,
      anchors: () => [
        { name: 'sandbox', fetchedAt: 4_000, pinned: true, passedOver: [], certificates: [] },
        { name: 'own', fetchedAt: 10_000, pinned: false, passedOver: [], certificates: [] },
      ],
    });
    now = 11_000;
    expect(await samples(metrics, 'ehi_trust_age_seconds')).toEqual([
      'ehi_trust_age_seconds{anchor="sandbox"} 7',
      'ehi_trust_age_seconds{anchor="own"} 1',
    ]);
    expect(await samples(metrics, 'ehi_trust_root_pinned')).toEqual([
      'ehi_trust_root_pinned{anchor="sandbox"} 1',
      'ehi_trust_root_pinned{anchor="own"} 0',
    ]);
  });

  it('report the state of audit and log at every scrape', async () => {
    const counts = noAuditCounts();
    const audit = { lost: 2, queuedBytes: 0, failingSince: null as number | null, counts };
    let dropped = 0;
    const metrics = opened({ audit, logLinesDropped: () => dropped });
    const values = async () => {
      const lines = (await metrics.text()).split('\n');
      return lines.flatMap((line) => /^ehi_((audit|log)_.*)/.exec(line)?.[1] ?? []);
    };
    expect(await values()).toEqual([
      'audit_records_lost_total 2',
      'audit_queue_bytes 0',
      'audit_failing_since_timestamp_seconds 0',
      'audit_seals_total 0',
      'audit_last_seal_timestamp_seconds 0',
      'audit_seal_failures_total 0',
      'audit_seals_missing 0',
      'audit_seal_copy_failures_total 0',
      'audit_rotations_total 0',
      'audit_rotation_failures_total 0',
      'audit_truncations_total 0',
      'log_lines_dropped_total 0',
      'log_lines_collapsed_total 0',
    ]);
    Object.assign(audit, { lost: 5, queuedBytes: 1000, failingSince: 1_500_000 });
    Object.assign(counts, {
      seals: 3,
      lastSealAt: 2_500_000,
      sealFailures: 4,
      sealsMissing: 1,
      sealCopyFailures: 5,
      rotations: 6,
      rotationFailures: 8,
    });
    counts.truncations = 9;
    dropped = 7;
    expect(await values()).toEqual([
      'audit_records_lost_total 5',
      'audit_queue_bytes 1000',
      'audit_failing_since_timestamp_seconds 1500',
      'audit_seals_total 3',
      'audit_last_seal_timestamp_seconds 2500',
      'audit_seal_failures_total 4',
      'audit_seals_missing 1',
      'audit_seal_copy_failures_total 5',
      'audit_rotations_total 6',
      'audit_rotation_failures_total 8',
      'audit_truncations_total 9',
      'log_lines_dropped_total 7',
      'log_lines_collapsed_total 0',
    ]);
  });
});
