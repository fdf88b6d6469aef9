/** `/upstreams` on the admin port: the state of the endpoints while one of them is down. */
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { endpointsWhen } from '../support/process/endpoints.ts';
import { openHost } from '../support/process/host.ts';
import { listenOnLoopback } from '../support/process/listening.ts';
import { openStage } from '../support/process/stage.ts';

const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
const fresh = {
  idle_limit_ms: 600_000,
  ejections: 0,
  last_failure: null,
  last_message_failure: null,
  last_check: null,
};

/** A route whose first endpoint is down and whose second is up, after three messages. */
async function openWithDeadPrimary() {
  const dead = await listenOnLoopback(createServer());
  await dead.close();
  const url = `http://127.0.0.1:${dead.port}`;
  await using opened = new AsyncDisposableStack();
  const dr = opened.use(await openHost());
  const health = { kind: 'tcp', interval: '100ms', timeout: '20s' };
  const stage = opened.use(
    await openStage({ routes: [{ path: '/', upstream: [url, { url: dr.url, health }] }] }),
  );
  const began = new Date().toISOString();
  for (let count = 0; count < 3; count++) expect(statusOf(await stage.send(post()))).toBe(200);
  const stack = opened.move();
  return { dead, url, dr, stage, began, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

it('shows a first endpoint that is down with its cause, a second with its connections, and the first again once it is up', async () => {
  await using opened = await openWithDeadPrimary();
  const { dead, url, dr, stage, began } = opened;
  const { gateway } = stage;
  const [primary, second, ...others] = await endpointsWhen(
    gateway,
    ([first, last]) =>
      first?.state === 'passed_over' && last?.connections.idle === 1 && last.last_check !== null,
  );
  expect(others).toEqual([]);
  expect(primary).toEqual({
    ...fresh,
    url,
    state: 'passed_over',
    relays: { used: 0, passed_over: 1 },
    connections: { idle: 0, in_use: 0 },
    ejections: 1,
    last_failure: { time, reason: 'connect_failed', cause: 'ECONNREFUSED' },
  });
  expect(primary?.last_failure?.time.localeCompare(began)).toBeGreaterThanOrEqual(0);
  expect(second).toEqual({
    ...fresh,
    url: dr.url,
    state: 'used',
    relays: { used: 1, passed_over: 0 },
    connections: { idle: 1, in_use: 0 },
    last_check: { time, result: 'passed', cause: null },
  });

  // A message in flight is shown at its endpoint.
  dr.options.answer = () => null;
  await using client = await stage.connect();
  client.write(post());
  await endpointsWhen(gateway, ([, last]) => last?.connections.in_use === 1);

  await using first = await openHost({}, { at: dead.port });
  const [again] = await endpointsWhen(gateway, ([found]) => found?.state === 'used');
  expect(again).toMatchObject({ url: first.url, relays: { used: 1, passed_over: 0 }, ejections: 1 });
  expect(again?.last_failure).toMatchObject({ reason: 'connect_failed' });
});

it('adds up all relay threads, and distinguishes a failed check from a failed connection', async () => {
  await using ill = await openHost({ answer: () => 'HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n' });
  await using well = await openHost();
  const health = { kind: 'http', interval: '100ms', timeout: '20s' };
  await using stage = await openStage({
    routes: [{ path: '/', upstream: [{ url: ill.url, health }, well.url] }],
    config: { relays: 2 },
  });
  const [first, second] = await endpointsWhen(
    stage.gateway,
    ([found, other]) => found?.relays.passed_over === 2 && other?.relays.used === 2,
  );
  expect(first).toMatchObject({
    state: 'passed_over',
    ejections: 2,
    last_failure: null,
    last_check: { result: 'failed', cause: 'status 500' },
  });
  expect(second).toMatchObject({ state: 'used', ejections: 0, last_check: null });
});

it('removes an endpoint that no route names any more', async () => {
  await using stage = await openStage();
  await endpointsWhen(stage.gateway, (found) => found.length === 1);
  const url = 'http://127.0.0.1:9';
  await stage.reload({ routes: [{ path: '/', upstream: url }] });
  const found = await endpointsWhen(stage.gateway, ([one]) => one?.url === url);
  expect(found).toMatchObject([{ url, state: 'used', connections: { idle: 0, in_use: 0 } }]);
});
