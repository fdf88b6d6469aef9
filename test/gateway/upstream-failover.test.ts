/** Several endpoints of a host: the first one that connects gets the message, and no other endpoint gets it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Message, statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { acknowledgement, type Host, openHost } from '../support/process/host.ts';
import { deadPort } from '../support/process/listening.ts';
import { metricsWhen, readMetrics, type Samples } from '../support/process/metrics.ts';
import { messageOf } from '../support/process/records.ts';
import { openSilentHost } from '../support/process/silent-host.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const url = (port: number) => `http://127.0.0.1:${port}`;

/** One gateway for all tests; each leads it to hosts of its own. */
let stage: Stage;
beforeAll(async () => {
  stage = await openStage();
});
afterAll(() => stage[Symbol.asyncDispose]());

/** The record of the message that the host received at this index, found by its request id. */
async function recordAt(host: Host, index: number) {
  return messageOf(stage.gateway, await host.request(index));
}

async function expectFailure(answer: Message, status: number, reason: string): Promise<void> {
  expect(statusOf(answer)).toBe(status);
  expect(await messageOf(stage.gateway, answer)).toMatchObject({ outcome: 'failed', status, reason });
}

it('uses the second endpoint when the first refuses, and skips the first after three refusals', async () => {
  const dead = url(await deadPort());
  await using second = await openHost();
  // However slow the machine is, the connection is still warm for the next message.
  const warm = { url: second.url, pool: { idleTimeout: '5m' } };
  await stage.leadTo([dead, warm]);
  for (let index = 0; index < 5; index++) {
    // An idle connection to the second endpoint does not change the preference for the first.
    expect(statusOf(await stage.send(post({ body: `${index}` })))).toBe(200);
    expect(await recordAt(second, index)).toMatchObject({
      outcome: 'answered',
      endpoint: second.url,
      reason: null,
    });
  }
  expect(second.requests.map(({ body }) => body.toString())).toEqual(['0', '1', '2', '3', '4']);
  expect(second.connectionCount).toBe(1);
  const ejections = `ehi_upstream_ejections_total{endpoint="${dead}"}`;
  const samples = await metricsWhen(stage.gateway, (found) => found.get(ejections) === 1);
  expect(samples.get(`ehi_upstream_up{endpoint="${dead}"}`)).toBe(0);
  expect(samples.get(`ehi_upstream_up{endpoint="${second.url}"}`)).toBe(1);
  expect(samples.get(`ehi_upstream_connects_total{endpoint="${second.url}",result="ok"}`)).toBe(1);
  expect(samples.get(`ehi_upstream_connections{endpoint="${second.url}",state="idle"}`)).toBe(1);
  const log = stage.gateway.stderr.split('\n').filter((line) => line.includes(dead));
  expect(log.filter((line) => line.includes('ECONNREFUSED'))).toHaveLength(1);
  expect(log.filter((line) => line.includes('is passed over'))).toHaveLength(1);
});

it('returns to the first endpoint as soon as it is up again', async () => {
  const port = await deadPort();
  await using second = await openHost();
  await stage.leadTo([url(port), second.url]);
  const up = `ehi_upstream_up{endpoint="${url(port)}"}`;
  for (let index = 0; index < 3; index++) await stage.send(post());
  await metricsWhen(stage.gateway, (samples) => samples.get(up) === 0);
  await using first = await openHost({}, { at: port });
  await metricsWhen(stage.gateway, (samples) => samples.get(up) === 1);
  // The next message tries the endpoint again.
  expect(first.connectionCount).toBe(1);
  expect(statusOf(await stage.send(post({ body: 'back' })))).toBe(200);
  expect(await recordAt(first, 0)).toMatchObject({ outcome: 'answered', endpoint: first.url });
  expect([first.connectionCount, first.requests.length, second.requests.length]).toEqual([1, 1, 3]);
});

it.runIf(process.platform === 'linux')(
  'waits at most timeouts.connectFirst for an endpoint that does not accept',
  async () => {
    await using silent = await openSilentHost();
    await using second = await openHost();
    // Only connectFirst can end the wait before the deadline.
    const config = { timeouts: { connectFirst: '50ms', connect: '10m' } };
    await stage.leadTo([silent.url, second.url], { config });
    expect(statusOf(await stage.send(post()))).toBe(200);
    expect(await recordAt(second, 0)).toMatchObject({ outcome: 'answered', endpoint: second.url });
    const connects = `ehi_upstream_connects_total{endpoint="${silent.url}",result="connect_timeout"}`;
    await metricsWhen(stage.gateway, (samples) => samples.get(connects) === 1);
  },
);

it.runIf(process.platform === 'linux')(
  'waits timeouts.connect for the last endpoint, then answers 504',
  async () => {
    await using silent = await openSilentHost();
    const config = { timeouts: { connectFirst: '10m', connect: '100ms' } };
    await stage.leadTo([url(await deadPort()), silent.url], { config });
    await expectFailure(await stage.send(post()), 504, 'connect_timeout');
  },
);

it('answers 502 when all endpoints are down, and still tries each of them', async () => {
  const [first, second] = [await deadPort(), await deadPort()];
  await stage.leadTo([url(first), { url: url(second) }]);
  await using client = await stage.connect();
  for (let index = 0; index < 5; index++) {
    await expectFailure(await client.exchange(post()), 502, 'connect_failed');
  }
  // Both are marked as down by now, and are still tried.
  await using host = await openHost({}, { at: second });
  expect(statusOf(await client.exchange(post({ body: 'now' })))).toBe(200);
  expect(await recordAt(host, 0)).toMatchObject({ outcome: 'answered', endpoint: host.url });
});

it('does not skip the only endpoint of a route', async () => {
  const port = await deadPort();
  await stage.leadTo([url(port)]);
  await using client = await stage.connect();
  for (let index = 0; index < 5; index++) {
    await expectFailure(await client.exchange(post()), 502, 'connect_failed');
  }
  await using host = await openHost({}, { at: port });
  expect(statusOf(await client.exchange(post()))).toBe(200);
  expect(statusOf(await client.exchange(post()))).toBe(200);
  expect(host.connectionCount).toBe(1);
  const samples = await readMetrics(stage.gateway);
  expect(samples.get(`ehi_upstream_up{endpoint="${url(port)}"}`)).toBe(1);
  expect(samples.get(`ehi_upstream_ejections_total{endpoint="${url(port)}"}`)).toBe(0);
});

it('sends a message to no second endpoint once the first has connected, whatever happens then', async () => {
  await using first = await openHost();
  await using second = await openHost();
  await stage.leadTo([first.url, second.url]);
  await using client = await stage.connect();
  // On a new connection, then on a reused one.
  for (const end of ['end', 'resetAndDestroy', 'end'] as const) {
    first.options.answer = (_request, socket) => {
      socket[end]();
      return null;
    };
    await expectFailure(await client.exchange(post({ body: end })), 502, 'closed_early');
    first.options.answer = () => acknowledgement;
    expect(statusOf(await client.exchange(post({ body: 'good' })))).toBe(200);
  }
  expect(first.requests.map(({ body }) => body.toString())).toEqual([
    ...['end', 'good', 'resetAndDestroy', 'good', 'end', 'good'],
  ]);
  expect(second.connectionCount).toBe(0);
});

it('relays a slow body completely to the second endpoint', async () => {
  await using second = await openHost();
  await stage.leadTo([url(await deadPort()), second.url]);
  await using client = await stage.connect();
  const body = Buffer.alloc(200_000, 'x');
  client.write(post({ body }).subarray(0, 1000));
  client.write(post({ body }).subarray(1000));
  expect(statusOf(await client.response())).toBe(200);
  expect((await second.request(0)).body.equals(body)).toBe(true);
});

it('skips an endpoint that fails its health check, and returns to it when the check succeeds', async () => {
  let status = '200 OK';
  const answer: NonNullable<Host['options']['answer']> = ({ raw }) =>
    raw.toString().startsWith('GET /health?deep HTTP/1.1\r\n')
      ? `HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`
      : acknowledgement;
  await using first = await openHost({ answer });
  await using second = await openHost();
  const health = { kind: 'http', path: '/health?deep', interval: '100ms', timeout: '5s' };
  await stage.leadTo([{ url: first.url, health }, second.url]);
  const up = `ehi_upstream_up{endpoint="${first.url}"}`;
  await stage.send(post({ body: 'well' }));
  status = '503 Service Unavailable';
  await metricsWhen(stage.gateway, (samples) => samples.get(up) === 0);
  await stage.send(post({ body: 'ill' }));
  expect(await recordAt(second, 0)).toMatchObject({ endpoint: second.url, outcome: 'answered' });
  status = '204 No Content';
  const samples = await metricsWhen(stage.gateway, (found) => found.get(up) === 1);
  await stage.send(post({ body: 'well again' }));
  const messages = first.requests.filter(({ raw }) => raw.toString().startsWith('POST'));
  expect(messages.map(({ body }) => body.toString())).toEqual(['well', 'well again']);
  expect(second.requests.map(({ body }) => body.toString())).toEqual(['ill']);
  expect(
    samples.get(`ehi_upstream_checks_total{endpoint="${first.url}",result="failed"}`),
  ).toBeGreaterThanOrEqual(3);
  expect(stage.gateway.stderr).toContain('status 503');
});

it('does not treat an interim response as the result of a health check', async () => {
  const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n';
  const well = 'HTTP/1.1 204 No Content\r\n\r\n';
  let checks = 0;
  const answer: NonNullable<Host['options']['answer']> = (_request, socket) => {
    // In one piece, and in two.
    if (checks++ % 2 === 0) return hints + well;
    socket.write(hints, () => setImmediate(() => socket.write(well)));
    return null;
  };
  await using first = await openHost({ answer });
  await using second = await openHost();
  const health = { kind: 'http', path: '/health', interval: '100ms', timeout: '5s' };
  await stage.leadTo([{ url: first.url, health }, second.url]);
  const of = (result: string) => `ehi_upstream_checks_total{endpoint="${first.url}",result="${result}"}`;
  const count = (samples: Samples, result: string) => samples.get(of(result)) ?? 0;
  const samples = await metricsWhen(
    stage.gateway,
    (found) => count(found, 'passed') + count(found, 'failed') >= 4,
  );
  expect(stage.gateway.stderr).not.toContain('status 103');
  expect(count(samples, 'failed')).toBe(0);
});
