/** Kinds of endpoint addresses, and how long connections to an endpoint are kept. */
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { statusOf } from '../support/http/http.ts';
import { resolving } from '../support/pki/names.ts';
import { post } from '../support/process/client.ts';
import { type Host, openHost, response } from '../support/process/host.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

/** One gateway for the tests that need no host names of their own; each leads it to a host of its own. */
let shared: Stage;
beforeAll(async () => {
  shared = await openStage();
});
afterAll(() => shared[Symbol.asyncDispose]());

async function leadTo(upstream: unknown): Promise<Stage> {
  await shared.leadTo(upstream);
  return shared;
}

async function expectDelivered(stage: Stage, host: Host, endpoint: string): Promise<void> {
  const index = host.requests.length;
  expect(statusOf(await stage.send(post({ body: 'once' })))).toBe(200);
  const request = await host.request(index);
  expect(request.body.toString()).toBe('once');
  expect(await messageOf(stage.gateway, request)).toMatchObject({ outcome: 'answered', endpoint });
  expect(host.requests).toHaveLength(index + 1);
}

describe('an endpoint may be', () => {
  it('a Unix socket', async () => {
    await using folder = await temporaryFolder();
    await using host = await openHost({}, { at: join(folder.path, 'host.sock') });
    const stage = await leadTo(host.url);
    await expectDelivered(stage, host, host.url);
    await expectDelivered(stage, host, host.url);
    expect(host.connectionCount).toBe(1);
    // The gateway adds Host to a request without it (RFC 9112 §3.2).
    expect(statusOf(await stage.send('GET / HTTP/1.0\r\n\r\n'))).toBe(200);
    expect((await host.request(2)).field('host')).toBe('localhost');
  });

  it('a Unix socket that does not exist, followed by another endpoint', async () => {
    await using second = await openHost();
    const missing = 'unix:/nonexistent/host.sock';
    const stage = await leadTo([missing, second.url]);
    await expectDelivered(stage, second, second.url);
    await stage.gateway.logged(({ cause }) => cause === 'ENOENT');
  });

  it('a name with several addresses, of which the first are dead', async () => {
    await using host = await openHost();
    const endpoint = `http://ehi.example:${host.port}`;
    await using stage = await openStage({
      routes: [{ path: '/', upstream: endpoint }],
      ...resolving({ 'ehi.example': ['127.0.0.2', '127.0.0.3', '127.0.0.1'] }),
    });
    await expectDelivered(stage, host, endpoint);
    // One attempt for all three.
    const connects = (result: string) =>
      `ehi_upstream_connects_total{endpoint="${endpoint}",result="${result}"}`;
    const samples = await metricsWhen(stage.gateway, (found) => found.get(connects('ok')) === 1);
    expect(samples.get(connects('connect_failed'))).toBe(0);
  });

  it('a name from the hosts file', async () => {
    await using host = await openHost();
    const endpoint = `http://localhost:${host.port}`;
    const stage = await leadTo(endpoint);
    await expectDelivered(stage, host, endpoint);
  });

  it('a name that does not resolve, whose messages get 502', async () => {
    const stage = await leadTo('http://ehi.invalid');
    const answer = await stage.send(post());
    expect(statusOf(answer)).toBe(502);
    const record = await messageOf(stage.gateway, answer);
    expect(record).toMatchObject({ outcome: 'failed', reason: 'connect_failed', endpoint: null });
  });
});

describe('a connection to an endpoint', () => {
  it.each([
    ['is kept for the keep-alive timeout of the host less one second', 'timeout=90', {}, 1],
    ['is not kept when the keep-alive timeout of the host is one second', 'timeout=1, max=100', {}, 3],
    ['is not kept when reuse is off', 'timeout=90', { reuse: 'off' }, 3],
    ['is not kept above pool.idle', 'timeout=90', { idle: 0 }, 3],
  ])('%s', async (_what, keepAlive, pool, connections) => {
    await using host = await openHost({
      answer: () => response({ fields: [`Keep-Alive: ${keepAlive}`], body: 'ok' }),
    });
    const stage = await leadTo({ url: host.url, pool });
    for (let index = 0; index < 3; index++) {
      const answer = await stage.send(post());
      expect(statusOf(answer)).toBe(200);
      expect(answer.field('keep-alive')).toBeUndefined();
    }
    expect(host.requests).toHaveLength(3);
    expect(host.connectionCount).toBe(connections);
  });

  it('is closed by the gateway after pool.idleTimeout', async () => {
    const closed = Promise.withResolvers<void>();
    await using host = await openHost({
      onConnection: (socket) => void once(socket, 'end').then(() => closed.resolve()),
    });
    const pool = { idleTimeout: '50ms' };
    const stage = await leadTo({ url: host.url, pool });
    await stage.send(post());
    await closed.promise;
    await stage.send(post());
    expect(host.connectionCount).toBe(2);
  });
});
