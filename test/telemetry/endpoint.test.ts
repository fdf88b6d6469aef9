import { expect, it } from 'vitest';
import { noAuditCounts } from '../../src/telemetry/audit-counts.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import { Metrics } from '../../src/telemetry/metrics.ts';

const endpoint = 'http://127.0.0.1:8080';

function metrics(): Metrics {
  const none = () => [];
  return new Metrics({
    version: '1',
    now: Date.now,
    audit: { lost: 0, queuedBytes: 0, failingSince: null, counts: noAuditCounts() },
    logLinesDropped: () => 0,
    logLinesCollapsed: () => 0,
    serverCertificates: none,
    anchors: none,
    revocationSources: none,
    keySets: none,
  });
}

async function samples(of: Metrics): Promise<string[]> {
  return (await of.text())
    .split('\n')
    .filter((line) => line.startsWith('ehi_upstream_') && line.includes('endpoint'));
}

it('reports each change of an endpoint once, with its current gauges', () => {
  const meter = new Meter();
  expect(meter.take()).toBeNull();
  const counts = meter.endpoint(endpoint);
  expect(meter.endpoint(endpoint)).toBe(counts);
  counts.pools++;
  counts.idleLimit = 4000;
  counts.connected();
  counts.inUse++;
  const delta = structuredClone(meter.take()?.endpoints);
  expect(delta).toEqual([
    {
      endpoint,
      connects: { ok: 1, connect_failed: 0, connect_timeout: 0, upstream_tls: 0 },
      checks: { passed: 0, failed: 0 },
      messageFailures: [],
      ejections: 0,
      pools: 1,
      ejected: 0,
      idle: 0,
      inUse: 1,
      idleLimit: 4000,
      lastFailure: null,
      lastCheck: null,
      lastMessageFailure: null,
    },
  ]);
  expect(meter.take()).toBeNull();
  counts.inUse--;
  counts.idle++;
  expect(meter.take()?.endpoints).toMatchObject([{ connects: { ok: 0 }, idle: 1, inUse: 0 }]);
});

it('reports an endpoint without pools once, then drops it', () => {
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

/** Two relay threads with the endpoint; thread 1 has ejected it. */
function twoThreads() {
  const all = metrics();
  const meters = [new Meter(), new Meter()];
  for (const [thread, meter] of meters.entries()) {
    const counts = meter.endpoint(endpoint);
    counts.pools++;
    counts.idle = 2;
    counts.inUse = thread;
    counts.idleLimit = 4000 - thread * 1000;
    counts.connected();
    if (thread === 1) {
      counts.failed({ at: 2000, reason: 'connect_timeout', cause: 'timeout' });
      counts.checked({ at: 3000, cause: 'status 503' });
      for (const at of [4000, 5000]) counts.messageFailed({ at, reason: 'host_framing', cause: 'chunk' });
      counts.ejected++;
      counts.ejection();
    }
    const delta = meter.take();
    if (delta !== null) all.merge(thread, delta);
  }
  return all;
}

it('sums the metrics of the relay threads', async () => {
  expect(await samples(twoThreads())).toEqual([
    `ehi_upstream_connects_total{endpoint="${endpoint}",result="ok"} 2`,
    `ehi_upstream_connects_total{endpoint="${endpoint}",result="connect_failed"} 0`,
    `ehi_upstream_connects_total{endpoint="${endpoint}",result="connect_timeout"} 1`,
    `ehi_upstream_connects_total{endpoint="${endpoint}",result="upstream_tls"} 0`,
    `ehi_upstream_message_failures_total{endpoint="${endpoint}",reason="host_framing"} 2`,
    `ehi_upstream_checks_total{endpoint="${endpoint}",result="failed"} 1`,
    `ehi_upstream_ejections_total{endpoint="${endpoint}"} 1`,
    `ehi_upstream_up{endpoint="${endpoint}"} 0.5`,
    `ehi_upstream_connections{endpoint="${endpoint}",state="idle"} 4`,
    `ehi_upstream_connections{endpoint="${endpoint}",state="in_use"} 1`,
    `ehi_upstream_idle_limit_seconds{endpoint="${endpoint}"} 3`,
  ]);
});

it('reports an endpoint over all relay threads, and drops the gauges of those that died', async () => {
  const all = twoThreads();
  expect(all.upstreams()).toEqual([
    {
      url: endpoint,
      state: 'partly_used',
      relays: { used: 1, passed_over: 1 },
      connections: { idle: 4, in_use: 1 },
      idle_limit_ms: 3000,
      ejections: 1,
      last_failure: { time: '1970-01-01T00:00:02.000Z', reason: 'connect_timeout', cause: 'timeout' },
      last_message_failure: { time: '1970-01-01T00:00:05.000Z', reason: 'host_framing', cause: 'chunk' },
      last_check: { time: '1970-01-01T00:00:03.000Z', result: 'failed', cause: 'status 503' },
    },
  ]);
  all.threadGone(1);
  expect(all.upstreams()).toMatchObject([
    { state: 'used', relays: { used: 1, passed_over: 0 }, ejections: 1, last_failure: null },
  ]);
  expect(await samples(all)).toEqual(
    expect.arrayContaining([
      `ehi_upstream_ejections_total{endpoint="${endpoint}"} 1`,
      `ehi_upstream_up{endpoint="${endpoint}"} 1`,
      `ehi_upstream_connections{endpoint="${endpoint}",state="in_use"} 0`,
    ]),
  );
});

it('reports the last failure and check of all relay threads, also after the clock was set back, and drops endpoints that no route has any more', () => {
  const all = metrics();
  const meters = [new Meter(), new Meter(), new Meter()];
  const merge = () => {
    for (const [thread, meter] of meters.entries()) all.merge(thread, meter.take() ?? expect.fail());
  };
  for (const [thread, meter] of meters.entries()) {
    const counts = meter.endpoint(endpoint);
    counts.pools++;
    counts.ejected++;
    // The clock was set back before the last thread's.
    const at = [1000, 3000, 2000][thread] as number;
    counts.failed({ at, reason: 'connect_failed', cause: `E${thread}` });
    counts.checked({ at, cause: thread === 2 ? null : 'timeout' });
  }
  merge();
  expect(all.upstreams()).toMatchObject([
    {
      state: 'passed_over',
      last_failure: { reason: 'connect_failed', cause: 'E2' },
      last_check: { result: 'passed', cause: null },
    },
  ]);
  meters[0]?.endpoint(endpoint).messageFailed({ at: 500, reason: 'closed_early', cause: 'ECONNRESET' });
  all.merge(0, meters[0]?.take() ?? expect.fail());
  expect(all.endpoints()).toMatchObject([
    {
      last_failure: { cause: 'E2' },
      latestFailure: { time: '1970-01-01T00:00:00.500Z', reason: 'closed_early' },
    },
  ]);
  for (const meter of meters) meter.endpoint(endpoint).pools--;
  merge();
  expect(all.upstreams()).toEqual([]);
});
