/** Hosts that close connections on which nothing came: the gateway asks them for how long, learns it, and says so. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { endpointsWhen } from '../support/process/endpoints.ts';
import { acknowledgement, type Host, openHost, response } from '../support/process/host.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;
let host: Host;

beforeEach(async () => {
  host = await openHost();
  // Longer than a busy test machine stands still between two messages.
  const upstream = { url: host.url, pool: { idleTimeout: '60s' } };
  stage = await openStage({ routes: [{ path: '/', upstream }] });
});

afterEach(async () => {
  await stage[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
});

/** What the host got of a message, and what the audit says of it. */
async function exchange(status = 200) {
  const index = host.requests.length;
  expect(statusOf(await stage.send(post()))).toBe(status);
  const request = await host.request(index);
  return { request, record: await messageOf(stage.gateway, request) };
}

it('asks with the first message on a connection to keep it open, and with no other', async () => {
  const asked = [];
  for (let each = 0; each < 3; each++) asked.push((await exchange()).request.field('connection'));
  expect(asked).toEqual(['keep-alive', undefined, undefined]);
  expect(host.connectionCount).toBe(1);
});

it('asks for nothing where connections are not used again', async () => {
  await stage.reload({ routes: [{ path: '/', upstream: { url: host.url, pool: { reuse: 'off' } } }] });
  const asked = [];
  for (let each = 0; each < 2; each++) asked.push((await exchange()).request.field('connection'));
  expect(asked).toEqual([undefined, undefined]);
  expect(host.connectionCount).toBe(2);
});

it('waits as long as the host announces, less a second, also after answers that do not say it again', async () => {
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

it('records whether the connection had waited, and for a message that meets its close too', async () => {
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

it('waits for less time than a host that closes waiting connections, and says so in the log and in /upstreams', async () => {
  host.options.onConnection = (socket) => {
    socket.setTimeout(1000, () => socket.end());
  };
  expect((await exchange()).record).toMatchObject({ upstream_reused: false });
  const line = await stage.gateway.logged(({ msg }) =>
    `${msg}`.startsWith('an upstream endpoint closes idle'),
  );
  expect(line).toMatchObject({ endpoint: host.url });
  const { closed_after_ms: age, idle_limit_ms: limit } = line as {
    closed_after_ms: number;
    idle_limit_ms: number;
  };
  expect(age).toBeGreaterThan(900);
  expect(Math.abs(limit - Math.max(age / 2, age - 1000))).toBeLessThanOrEqual(1);
  await endpointsWhen(stage.gateway, ([found]) => found?.idle_limit_ms === limit);
});
