/** A host name that resolves to another address: the gateway follows without a restart and sends no message to both. */
import { once } from 'node:events';
import { scheduler } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { echo, numbered } from '../support/numbered.ts';
import { renameTo, resolving, timesAsked } from '../support/pki/names.ts';
import { type Client, post } from '../support/process/client.ts';
import { type Host, openHost, response } from '../support/process/host.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const name = 'ehi.example';

interface Scene extends AsyncDisposable {
  readonly stage: Stage;
  /** Hosts on 127.0.0.1 and on 127.0.0.2, with the same port. */
  readonly old: Host;
  readonly renewed: Host;
  readonly endpoint: string;
  /** Sets the address that the name resolves to from the next lookup on. */
  lead(...addresses: string[]): Promise<void>;
}

async function openScene(): Promise<Scene> {
  await using opened = new AsyncDisposableStack();
  const old = opened.use(await openHost({ answer: echo }));
  const renewed = opened.use(await openHost({ answer: echo }, { at: old.port, address: '127.0.0.2' }));
  const endpoint = `http://${name}:${old.port}`;
  const stage = opened.use(
    await openStage({
      // Only the address change ends a connection.
      routes: [{ path: '/', upstream: { url: endpoint, pool: { idleTimeout: '10m' } } }],
      ...resolving({ [name]: ['127.0.0.1'] }),
    }),
  );
  const lead = (...addresses: string[]) => renameTo(stage.gateway, { [name]: addresses });
  const stack = opened.move();
  return { stage, old, renewed, endpoint, lead, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Sends messages until `isSo()` is true; each must be answered. Returns their number. */
async function talkUntil(isSo: () => boolean | Promise<boolean>, client: Client): Promise<number> {
  let sent = 0;
  // A name is resolved again after five seconds of use.
  for (; !(await isSo()); sent++) {
    const body = `message ${sent}`;
    expect((await client.exchange(post({ body }))).body.toString()).toBe(body);
    await scheduler.wait(20);
  }
  return sent;
}

/** Sends one message and expects an answer; the hosts record which of them got it. */
async function expectAnswered(client: Client, body: string): Promise<void> {
  expect((await client.exchange(post({ body }))).body.toString()).toBe(body);
}

/** Expects that each host received exactly its messages, in order, and that the audit has all of them. */
async function expectDelivered({ stage, old, renewed, endpoint }: Scene, bodies: string[]): Promise<void> {
  const requests = [...old.requests, ...renewed.requests];
  expect(requests.map(({ body }) => body.toString())).toEqual(bodies);
  for (const request of requests) {
    const record = await messageOf(stage.gateway, request);
    expect(record).toMatchObject({ outcome: 'answered', status: 200, endpoint });
  }
}

it.concurrent('moves to the new address under traffic without losing a message, and closes every connection to the old one', async () => {
  await using scene = await openScene();
  const { stage, old, renewed, lead } = scene;
  await using client = await stage.connect();
  await using other = await stage.connect();
  old.options.answer = () => null;
  client.write(post({ body: 'first' }));
  other.write(post({ body: 'first' }));
  await old.request(1);
  old.options.answer = echo;
  for (const socket of old.sockets) socket.write(response({ body: 'first' }));
  await client.response();
  await other.response();
  await lead('127.0.0.2');
  // Two idle connections lead to the address that the name no longer resolves to.
  expect(old.sockets.size).toBe(2);
  const closed = [...old.sockets].map((socket) => once(socket, 'close'));
  const sent = await talkUntil(async () => (await timesAsked(stage.gateway, name)) > 1, client);
  await Promise.all(closed);
  await expectAnswered(client, 'last');
  expect(renewed.requests).toHaveLength(1);
  await expectDelivered(scene, ['first', 'first', ...numbered(sent), 'last']);
});

it.concurrent('finishes messages in flight on the old address, and sends no new message there', async () => {
  await using scene = await openScene();
  const { stage, old, renewed, lead } = scene;
  const asked = new Promise<() => void>((resolve) => {
    old.options.answer = (request, socket) => {
      resolve(() => void socket.write(echo(request)));
      return null;
    };
  });
  await using busy = await stage.connect();
  busy.write(post({ body: 'under way' }));
  const answer = await asked;
  old.options.answer = echo;
  await lead('127.0.0.2');
  await using client = await stage.connect();
  const sent = await talkUntil(() => renewed.requests.length > 0, client);
  const [connection] = old.sockets;
  answer();
  expect((await busy.response()).body.toString()).toBe('under way');
  if (connection !== undefined && !connection.closed) await once(connection, 'close');
  await expectAnswered(busy, 'last');
  await expectDelivered(scene, ['under way', ...numbered(sent), 'last']);
});

/** The gateway has read the end of each connection that waited for a message: one that is used before that loses its message. */
async function noneWaits({ stage, endpoint }: Scene): Promise<void> {
  const waiting = `ehi_upstream_connections{endpoint="${endpoint}",state="idle"}`;
  await metricsWhen(stage.gateway, (samples) => samples.get(waiting) === 0);
}

/** false: the name was resolved again before the message, after five seconds of use, so that no message was lost. */
async function losesOne(): Promise<boolean> {
  await using scene = await openScene();
  const { stage, old, renewed, lead } = scene;
  await using client = await stage.connect();
  await expectAnswered(client, 'first');
  await lead('127.0.0.2');
  await old.close();
  await noneWaits(scene);
  const lost = await client.exchange(post({ body: 'lost' }));
  if (statusOf(lost) === 200) return false;
  expect(statusOf(lost)).toBe(502);
  const record = await messageOf(stage.gateway, lost);
  expect(record).toMatchObject({ outcome: 'failed', status: 502, reason: 'connect_failed', endpoint: null });
  await expectAnswered(client, 'next');
  expect(renewed.requests).toHaveLength(1);
  await expectDelivered(scene, ['first', 'next']);
  return true;
}

it.concurrent('loses at most one message to a dead address, and resolves the name again after that failure', async () => {
  while (!(await losesOne()));
});

it.concurrent('uses the last known address while the name does not resolve, also for new connections', async () => {
  await using scene = await openScene();
  const { stage, old, renewed, lead } = scene;
  await using client = await stage.connect();
  await expectAnswered(client, 'first');
  await lead();
  const sent = await talkUntil(async () => (await timesAsked(stage.gateway, name)) > 1, client);
  for (const socket of old.sockets) socket.destroy();
  await noneWaits(scene);
  await using other = await stage.connect();
  await expectAnswered(other, 'last');
  expect(renewed.connectionCount).toBe(0);
  expect(old.connectionCount).toBe(2);
  await expectDelivered(scene, ['first', ...numbered(sent), 'last']);
});
