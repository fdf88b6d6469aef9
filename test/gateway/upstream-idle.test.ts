/** Hosts that close idle connections: the gateway requests a keep-alive time, learns the real one, and reports it. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { endpointsWhen } from '../support/process/endpoints.ts';
import { acknowledgement, type Host, openHost, response } from '../support/process/host.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;
let host: Host;

beforeAll(async () => {
  stage = await openStage();
});

afterAll(() => stage[Symbol.asyncDispose]());

beforeEach(async () => {
  host = await openHost();
  await stage.leadTo(host.url);
});

afterEach(() => host[Symbol.asyncDispose]());

/** Sends a message; returns what the host received, and the record. */
async function exchange(status = 200) {
  const index = host.requests.length;
  expect(statusOf(await stage.send(post()))).toBe(status);
  const request = await host.request(index);
  return { request, record: await messageOf(stage.gateway, request) };
}

it('requests keep-alive with the first message on a connection, and with no other', async () => {
  const asked = [];
  for (let each = 0; each < 3; each++) asked.push((await exchange()).request.field('connection'));
  expect(asked).toEqual(['keep-alive', undefined, undefined]);
  expect(host.connectionCount).toBe(1);
});

it('requests no keep-alive when connections are not reused', async () => {
  await stage.leadTo({ url: host.url, pool: { reuse: 'off' } });
  const asked = [];
  for (let each = 0; each < 2; each++) asked.push((await exchange()).request.field('connection'));
  expect(asked).toEqual([undefined, undefined]);
  expect(host.connectionCount).toBe(2);
});

it('keeps a connection for the announced time less one second, also after responses that do not repeat it', async () => {
  const announced = [
    'Content-Type: application/json',
    'Connection: Keep-Alive',
    'Keep-Alive: timeout=3, max=99',
  ];
  host.options.answer = ({ field }) =>
    field('connection') === undefined ? acknowledgement : response({ fields: announced, body: '{}' });
  for (let each = 0; each < 2; each++) {
    await exchange();
    await endpointsWhen(stage.gateway, ([found]) => found?.idle_limit_ms === 2000);
  }
  await metricsWhen(
    stage.gateway,
    (samples) => samples.get(`ehi_upstream_idle_limit_seconds{endpoint="${host.url}"}`) === 2,
  );
});

it('records whether the connection was idle before, also for a message that meets its close', async () => {
  expect((await exchange()).record).toMatchObject({ outcome: 'answered', upstream_reused: false });
  expect((await exchange()).record).toMatchObject({ outcome: 'answered', upstream_reused: true });
  host.options.answer = (_request, socket) => {
    socket.end();
    return null;
  };
  const failed = { outcome: 'failed', reason: 'closed_early' };
  expect((await exchange(502)).record).toMatchObject({ ...failed, upstream_reused: true });
  expect((await exchange(502)).record).toMatchObject({ ...failed, upstream_reused: false });
  const refused = await stage.send('GET /../ HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(await messageOf(stage.gateway, refused)).toMatchObject({ outcome: 'denied', upstream_reused: null });
});

it('learns a shorter idle time from a host that closes idle connections, and reports it in the log and in /upstreams', async () => {
  host.options.onConnection = (socket) => {
    socket.setTimeout(2000, () => socket.end());
  };
  expect((await exchange()).record).toMatchObject({ upstream_reused: false });
  const line = await stage.gateway.logged(
    ({ msg, endpoint }) => `${msg}`.startsWith('an upstream endpoint closes idle') && endpoint === host.url,
  );
  const { closed_after_ms: age, idle_limit_ms: limit } = line as {
    closed_after_ms: number;
    idle_limit_ms: number;
  };
  expect(age).toBeGreaterThan(1900);
  expect(Math.abs(limit - Math.max(age / 2, age - 1000))).toBeLessThanOrEqual(1);
  await endpointsWhen(stage.gateway, ([found]) => found?.idle_limit_ms === limit);
});
