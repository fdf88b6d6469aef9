import fc from 'fast-check';
import { Histogram, Registry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { budgetBounds, secondsBounds } from '../../src/telemetry/counts.ts';
import { Meter, type MeterDelta } from '../../src/telemetry/meter.ts';
import { metricTable } from '../../src/telemetry/metric-table.ts';
import { Metrics, type MetricsOptions } from '../../src/telemetry/metrics.ts';
import { noRoute } from '../../src/telemetry/route-meter.ts';

function opened(options: { lost?: () => number } & Partial<MetricsOptions> = {}) {
  const { lost = () => 0, ...rest } = options;
  return new Metrics({
    version: '1.2.3',
    auditRecordsLost: lost,
    now: () => 0,
    serverCertificates: () => [],
    anchors: () => [],
    revocationSources: () => [],
    ...rest,
  });
}

/** What crosses the thread boundary. */
function taken(meter: Meter): MeterDelta {
  const delta = meter.take();
  if (delta === null) throw new Error('nothing changed');
  return structuredClone(delta);
}

async function samples(metrics: Metrics, name: string): Promise<string[]> {
  const text = await metrics.text();
  return text.split('\n').filter((line) => line.startsWith(name) && /^[ {]/.test(line.slice(name.length)));
}

describe('a meter', () => {
  it('says nothing when nothing changed', () => {
    const meter = new Meter();
    expect(meter.take()).toBeNull();
    meter.connections++;
    expect(meter.take()).toMatchObject({ connections: 1, inFlight: 0, handshakes: [], routes: [] });
    expect(meter.take()).toBeNull();
    meter.connections--;
    meter.inFlight++;
    expect(meter.take()).toMatchObject({ connections: 0, inFlight: 1 });
  });

  it('tells what it sheds load by, and nothing of a delay that changes by less than a millisecond', () => {
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

  it('hands out each observation once', () => {
    const meter = new Meter();
    meter.handshake('allow', 'none', 3);
    meter.handshake('allow', 'none', 3);
    meter.handshake('deny', 'untrusted', Number.NaN);
    meter.route('/').message(200, 12, 10);
    meter.route('/').message(404, 1, Number.NaN);
    meter.clientCertificate('CN=a', 5_000);
    const delta = taken(meter);
    expect(delta.handshakes).toEqual([
      ['allow', 'none', 2],
      ['deny', 'untrusted', 1],
    ]);
    expect(delta.clientCertificates).toEqual([['CN=a', 5_000]]);
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
    meter.clientCertificate('CN=b', 6_000);
    expect(taken(meter)).toMatchObject({ handshakes: [], routes: [], clientCertificates: [['CN=b', 6_000]] });
  });
});

describe('the metrics', () => {
  it('are exactly those of the table, beside the process’s own', async () => {
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

  it('add the counts of all threads, and keep them when a thread is gone', async () => {
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

  it('add what all threads have under way, and show the longest of their delays', async () => {
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

  it('tell how messages did by their route’s budget, and which answers had no type', async () => {
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

  it('print histograms as prom-client would have, with 0.2 s among the bounds', async () => {
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

  it('show the 100 client leaves that were seen last', async () => {
    const metrics = opened();
    const meter = new Meter();
    for (let leaf = 0; leaf < 100; leaf++) meter.clientCertificate(`CN=${leaf}`, leaf * 1000);
    metrics.merge(1, taken(meter));
    meter.clientCertificate('CN=0', 0);
    meter.clientCertificate('CN=100', 100_000);
    metrics.merge(2, taken(meter));
    const shown = await samples(metrics, 'ehi_certificate_not_after_timestamp_seconds');
    expect(shown).toHaveLength(100);
    expect(shown).toContain('ehi_certificate_not_after_timestamp_seconds{role="client",name="CN=0"} 0');
    expect(shown).toContain('ehi_certificate_not_after_timestamp_seconds{role="client",name="CN=100"} 100');
    expect(shown.join('\n')).not.toContain('"CN=1"');
  });

  it('hold at most 100 client leaves between two batches', () => {
    const meter = new Meter();
    for (let leaf = 0; leaf < 1_000; leaf++) meter.clientCertificate(`CN=${leaf}`, 0);
    expect(taken(meter).clientCertificates.map(([name]) => name)).toEqual(
      Array.from({ length: 100 }, (_, index) => `CN=${900 + index}`),
    );
  });

  it('show server and anchor certificates beside the leaves, however many these are', async () => {
    const root = { subject: 'CN=root', notAfter: 2_000 };
    const metrics = opened({
      serverCertificates: () => [{ subject: 'CN=gateway', notAfter: 1_000 }],
      anchors: () => [{ name: 'own', fetchedAt: 0, pinned: false, passedOver: [], certificates: [root] }],
    });
    const meter = new Meter();
    for (let leaf = 0; leaf < 200; leaf++) meter.clientCertificate(`CN=${leaf}`, 0);
    metrics.merge(0, taken(meter));
    const shown = await samples(metrics, 'ehi_certificate_not_after_timestamp_seconds');
    expect(shown).toHaveLength(102);
    expect(shown).toContain('ehi_certificate_not_after_timestamp_seconds{role="server",name="CN=gateway"} 1');
  });

  it('tell of CRLs that count anew, from 0 on', async () => {
    const metrics = opened({
      anchors: () => [{ name: 'own', fetchedAt: 0, pinned: true, passedOver: [], certificates: [] }],
    });
    const name = 'ehi_revocation_crl_restarts_total';
    expect(await samples(metrics, name)).toEqual([`${name}{anchor="own"} 0`]);
    metrics.crlRestarted('own');
    expect(await samples(metrics, name)).toEqual([`${name}{anchor="own"} 1`]);
  });

  it('tell what of an anchor is passed over', async () => {
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

  it('tell the age of trust at the time of asking', async () => {
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

  it('tell what the audit lost so far, on every scrape', async () => {
    let lost = 2;
    const metrics = opened({ lost: () => lost });
    expect(await samples(metrics, 'ehi_audit_records_lost_total')).toEqual([
      'ehi_audit_records_lost_total 2',
    ]);
    lost = 5;
    expect(await samples(metrics, 'ehi_audit_records_lost_total')).toEqual([
      'ehi_audit_records_lost_total 5',
    ]);
  });
});
