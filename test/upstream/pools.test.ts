/** The pools of the routes: what a change of policy does to the connections of an endpoint. */
import { createServer } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { EndpointPolicy } from '../../src/policy/snapshot.ts';
import type { UpstreamConnection } from '../../src/upstream/connection.ts';
import { Pools } from '../../src/upstream/pools.ts';
import { endpointAt, recorder } from '../support/process/endpoint.ts';
import { type Listening, listenOnLoopback } from '../support/process/listening.ts';
import { answers } from '../support/process/snapshot.ts';
import { silentUser } from '../support/process/upstream-user.ts';

let listening: Listening;

beforeEach(async () => {
  listening = await listenOnLoopback(createServer({ allowHalfOpen: true }));
});

afterEach(() => listening.close());

const timeouts = { connect: 1000, connectFirst: 50 } as Parameters<Pools['update']>[0]['timeouts'];

it('keeps a connection after a change of policy if its endpoint is the same', async () => {
  const pools = new Pools(recorder());
  const update = (endpoint: EndpointPolicy, ...paths: string[]) =>
    pools.update({ routes: paths.map((path) => ({ ...answers, path, endpoints: [endpoint] })), timeouts });
  const endpoint = endpointAt(listening.port);
  const [upstream] = update(endpoint, '/a');
  const connection = await new Promise<UpstreamConnection>((onUpstreamConnect, onUpstreamLost) => {
    upstream?.connect({ ...silentUser(), proxyHeader: Buffer.alloc(0), onUpstreamConnect, onUpstreamLost });
  });
  connection.pool.release(connection, -1);
  const [, other] = update({ ...endpoint }, '/b', '/c');
  expect(other?.take(silentUser(), performance.now())).toBe(connection);

  connection.pool.release(connection, -1);
  const [changed] = update({ ...endpoint, authority: 'other' }, '/b');
  expect(connection.ended).toBe(true);
  expect(changed?.take(silentUser(), performance.now())).toBe(null);
  pools.close();
});

it('closes a connection of a removed endpoint when it is released', async () => {
  const pools = new Pools(recorder());
  const routes = [{ ...answers, path: '/', endpoints: [endpointAt(listening.port)] }];
  const [upstream] = pools.update({ routes, timeouts });
  const connection = await new Promise<UpstreamConnection>((onUpstreamConnect, onUpstreamLost) => {
    upstream?.connect({ ...silentUser(), proxyHeader: Buffer.alloc(0), onUpstreamConnect, onUpstreamLost });
  });
  pools.update({ routes: [], timeouts });
  expect(connection.ended).toBe(false);
  connection.pool.release(connection, -1);
  expect(connection.ended).toBe(true);
});
