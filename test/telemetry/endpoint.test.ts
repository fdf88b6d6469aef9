import { expect, it } from 'vitest';
import { Meter } from '../../src/telemetry/meter.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';

const endpoint = 'http://127.0.0.1:8080';

function metrics(): Metrics {
  const [auditRecordsLost, none] = [() => 0, () => []];
  return new Metrics({
    version: '1',
    now: Date.now,
    auditRecordsLost,
    serverCertificates: none,
    anchors: none,
    revocationSources: none,
  });
}

async function samples(of: Metrics): Promise<string[]> {
  return (await of.text())
    .split('\n')
    .filter((line) => line.startsWith('ehi_upstream_') && line.includes('endpoint'));
}

it('tells of an endpoint what changed, once, and how it stands', () => {
  const meter = new Meter();
  expect(meter.take()).toBeNull();
  const counts = meter.endpoint(endpoint);
  expect(meter.endpoint(endpoint)).toBe(counts);
  counts.pools++;
  counts.connect('ok');
  counts.inUse++;
  const delta = structuredClone(meter.take()?.endpoints);
  expect(delta).toEqual([
    {
      endpoint,
      connects: { ok: 1, connect_failed: 0, connect_timeout: 0, upstream_tls: 0 },
      checks: { passed: 0, failed: 0 },
      ejections: 0,
      pools: 1,
      ejected: 0,
      idle: 0,
      inUse: 1,
    },
  ]);
  expect(meter.take()).toBeNull();
  counts.inUse--;
  counts.idle++;
  expect(meter.take()?.endpoints).toMatchObject([{ connects: { ok: 0 }, idle: 1, inUse: 0 }]);
});

it('forgets an endpoint that no pool leads to any more, after it has said so', () => {
  const meter = new Meter();
  const counts = meter.endpoint(endpoint);
  counts.pools++;
  counts.inUse++;
  meter.take();
  counts.pools--;
  expect(meter.take()?.endpoints).toMatchObject([{ pools: 0, inUse: 1 }]);
  expect(meter.take()).toBeNull();
  expect(meter.endpoint(endpoint)).toBe(counts);
  counts.inUse--;
  meter.take();
  meter.take();
  expect(meter.endpoint(endpoint)).not.toBe(counts);
});

it('adds up the relay threads, and forgets those that died with their gauges', async () => {
  const all = metrics();
  const meters = [new Meter(), new Meter()];
  for (const [thread, meter] of meters.entries()) {
    const counts = meter.endpoint(endpoint);
    counts.pools++;
    counts.idle = 2;
    counts.inUse = thread;
    counts.connect('ok');
    if (thread === 1) {
      counts.connect('connect_timeout');
      counts.check('failed');
      counts.ejected++;
      counts.ejection();
    }
    const delta = meter.take();
    if (delta !== null) all.merge(thread, delta);
  }
  expect(await samples(all)).toEqual([
    `ehi_upstream_connects_total{endpoint="${endpoint}",result="ok"} 2`,
    `ehi_upstream_connects_total{endpoint="${endpoint}",result="connect_failed"} 0`,
    `ehi_upstream_connects_total{endpoint="${endpoint}",result="connect_timeout"} 1`,
    `ehi_upstream_connects_total{endpoint="${endpoint}",result="upstream_tls"} 0`,
    `ehi_upstream_checks_total{endpoint="${endpoint}",result="failed"} 1`,
    `ehi_upstream_ejections_total{endpoint="${endpoint}"} 1`,
    `ehi_upstream_up{endpoint="${endpoint}"} 0.5`,
    `ehi_upstream_connections{endpoint="${endpoint}",state="idle"} 4`,
    `ehi_upstream_connections{endpoint="${endpoint}",state="in_use"} 1`,
  ]);
  all.threadGone(1);
  expect(await samples(all)).toEqual(
    expect.arrayContaining([
      `ehi_upstream_ejections_total{endpoint="${endpoint}"} 1`,
      `ehi_upstream_up{endpoint="${endpoint}"} 1`,
      `ehi_upstream_connections{endpoint="${endpoint}",state="in_use"} 0`,
    ]),
  );
});
