/** Slow, failing and stopped collectors, and reloads: messages are relayed, and lost spans are counted. */
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { post } from '../support/process/client.ts';
import { type Collector, openCollector } from '../support/process/collector.ts';
import { metricsWhen, readMetrics } from '../support/process/metrics.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const sampled = 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const exportedSpans = 'ehi_spans_exported_total';
const dropped = (reason: string) => `ehi_spans_dropped_total{reason="${reason}"}`;

/** Longer than any test: spans are exported when there are 512, or at exit. */
const never = '1h';

interface Connection {
  exchange(bytes: Uint8Array): Promise<Parameters<typeof statusOf>[0]>;
}

async function exchange(connection: Connection, count: number): Promise<void> {
  const message = post();
  for (let index = 0; index < count; index++) {
    expect(statusOf(await connection.exchange(message))).toBe(200);
  }
}

async function tracedStage(collector: Pick<Collector, 'url'>, tracing: object = {}): Promise<Stage> {
  return openStage({ config: { tracing: { endpoint: collector.url, interval: '10ms', ...tracing } } });
}

it('relays messages while a collector does not answer, with a bounded span queue', async () => {
  await using collector = await openCollector();
  collector.answer = () => {};
  await using stage = await tracedStage(collector, { interval: never });
  await using connection = await stage.connect();
  // Two spans each: 512 are sent, 2048 are queued, 440 are dropped.
  await exchange(connection, 1500);
  const samples = await metricsWhen(stage.gateway, (found) => (found.get(dropped('queue_full')) ?? 0) >= 440);
  expect(samples.get(dropped('queue_full'))).toBe(440);
  expect(samples.get(exportedSpans)).toBe(0);
  expect(collector.exports).toHaveLength(1);
  await exchange(connection, 10);
  // The exit does not wait for the timeout of the request to the collector, and sends no further one.
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  expect(collector.exports).toHaveLength(1);
  const droppedAtExit = stage.gateway
    .log()
    .find(({ msg }) => msg === 'spans were dropped because they could not be exported before the end');
  expect(droppedAtExit).toMatchObject({ spans: 2560 });
});

it.each([
  ['answers 500', '500'],
  ['is gone', 'ECONNREFUSED'],
])('relays messages while the collector %s, and logs it once', async (_which, cause) => {
  await using collector = await openCollector();
  collector.answer = (_request, answer) => answer.writeHead(500).end();
  if (cause !== '500') await collector.close();
  await using stage = await tracedStage(collector);
  await using connection = await stage.connect();
  await exchange(connection, 20);
  await stage.gateway.logged(({ msg }) => `${msg}`.startsWith('the collector does not accept spans'));
  await exchange(connection, 300);
  if (cause === '500') {
    await metricsWhen(stage.gateway, (found) => (found.get(dropped('refused')) ?? 0) === 640);
  }
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  const complaints = stage.gateway
    .log()
    .filter(({ msg }) => `${msg}`.startsWith('the collector does not accept spans'));
  expect(complaints).toMatchObject([{ level: 40, cause }]);
});

it('retries an export that a busy collector refused, and logs it', async () => {
  await using collector = await openCollector();
  collector.answer = (_request, answer) => {
    collector.answer = null;
    answer.writeHead(503, { 'retry-after': '1' }).end();
  };
  await using stage = await tracedStage(collector);
  await stage.send(post());
  await metricsWhen(stage.gateway, (found) => found.get(exportedSpans) === 2);
  expect(collector.exports).toHaveLength(2);
  expect(collector.exports[1]?.body).toBe(collector.exports[0]?.body);
  await stage.gateway.logged(({ msg }) => msg === 'the collector accepts spans again');
});

it('exports the spans of all relay threads, and queued ones at exit', async () => {
  await using collector = await openCollector();
  await using stage = await openStage({
    config: { relays: 2, tracing: { endpoint: collector.url, interval: never } },
  });
  const connections = await Promise.all(Array.from({ length: 8 }, () => stage.connect()));
  await Promise.all(connections.map((connection) => exchange(connection, 5)));
  expect(collector.exports).toHaveLength(0);
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  expect(collector.spans).toHaveLength(80);
  expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(80);
  for (const connection of connections) await connection[Symbol.asyncDispose]();
});

it('exports to an https collector with the header fields from a file', async () => {
  const pki = authority();
  const server = pki.issueServer();
  await using collector = await openCollector({ tls: { cert: server.chainPem, key: server.keyPem } });
  await using stage = await openStage({
    authority: pki,
    files: { 'ca.pem': pki.root.pem, fields: 'Authorization: Bearer top secret\n\nx-tenant: a\n' },
    config: {
      tracing: {
        endpoint: collector.url,
        interval: '10ms',
        serviceName: 'card-gateway',
        headersFile: 'fields',
        tls: { ca: 'ca.pem' },
      },
    },
  });
  await stage.send(post());
  await collector.collect(2);
  expect(collector.exports[0]).toMatchObject({
    headers: { authorization: 'Bearer top secret', 'x-tenant': 'a' },
    resource: { 'service.name': 'card-gateway' },
  });
  await stage.gateway.stop();
  expect(stage.gateway.stdout + stage.gateway.stderr).not.toContain('top secret');
});

it('is enabled, changed and disabled by reloads', async () => {
  await using one = await openCollector();
  await using other = await openCollector();
  await using stage = await openStage();
  const hostSpan = async () => {
    const index = stage.host.requests.length;
    await stage.send(post({ fields: [sampled] }));
    return (await stage.host.request(index)).field('traceparent');
  };
  expect(`traceparent: ${await hostSpan()}`).toBe(sampled);

  const tracing = { endpoint: one.url, interval: '10ms', sampleRatio: 0 };
  expect(await stage.reload({ tracing })).toMatchObject({
    event: 'reloaded',
    changed: ['tracing'],
    fixed: [],
  });
  await stage.send(post());
  const first = await hostSpan();
  await one.collect(2);
  // With ratio 0 only traces that the sender has sampled.
  expect(one.spans.map(({ spanId }) => spanId)).toContain(first?.split('-')[2]);
  expect(one.spans).toHaveLength(2);

  expect(await stage.reload({ tracing: { ...tracing, endpoint: other.url, sampleRatio: 1 } })).toMatchObject({
    changed: ['tracing.endpoint', 'tracing.sampleRatio'],
    fixed: [],
  });
  await stage.send(post());
  await other.collect(2);
  expect(one.spans).toHaveLength(2);

  expect(await stage.reload({ tracing: 'off' })).toMatchObject({ changed: ['tracing'] });
  expect(`traceparent: ${await hostSpan()}`).toBe(sampled);
  await stage.gateway.stop();
  expect([...one.spans, ...other.spans]).toHaveLength(4);
});

it('makes no spans and no connection without configuration', async () => {
  await using stage = await openStage();
  await stage.send(post({ fields: [sampled] }));
  const samples = await readMetrics(stage.gateway);
  expect(samples.get(exportedSpans)).toBe(0);
  expect([...samples.keys()].filter((name) => name.startsWith('ehi_spans_dropped'))).toEqual([]);
});
