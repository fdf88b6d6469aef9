/** SIGTERM and SIGINT: messages in flight are finished, nothing new is accepted, and no audit record is lost. */
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { type Client, post } from '../support/process/client.ts';
import { acknowledgement } from '../support/process/host.ts';
import { expectOneRecordEach } from '../support/process/records.ts';
import { openStage, type Stage, type StageOptions } from '../support/process/stage.ts';

/** A gateway whose host holds every response back until `release`. */
async function openHeld(config: StageOptions['config'] = {}): Promise<Stage & { release: () => void }> {
  const held: (() => void)[] = [];
  const stage = await openStage({
    config,
    host: {
      answer: (_request, socket) => {
        held.push(() => socket.write(acknowledgement));
        return null;
      },
    },
  });
  return Object.assign(stage, { release: () => held.splice(0).forEach((answer) => void answer()) });
}

/** Resolves when `/readyz` shows that the gateway has received the signal. */
async function notReady({ gateway }: Stage): Promise<string> {
  for (;;) {
    const { status, body } = await gateway.admin('/readyz');
    if (status === 503) return body;
  }
}

it.each(['SIGTERM', 'SIGINT'] as const)(
  'finishes the exchange in flight and exits with 0 on %s',
  async (signal) => {
    await using stage = await openHeld();
    await using busy = await stage.connect();
    await using idle = await stage.connect();
    busy.write(post());
    await stage.host.request(0);

    stage.gateway.signal(signal);
    expect(await notReady(stage)).toBe('{"ready":false,"reasons":["draining"]}\n');
    expect(await idle.rest()).toHaveLength(0);
    expect(idle.error).toBeUndefined();
    await expect(stage.connect()).rejects.toThrow(/ECONNREFUSED/);

    stage.release();
    const answer = await busy.response();
    expect(statusOf(answer)).toBe(200);
    expect(answer.field('connection')).toBe('close');
    expect(await busy.rest()).toHaveLength(0);
    expect(await stage.gateway.exited()).toEqual({ code: 0 });
  },
);

it('accepts connections during drainDelay, closes each after one response, and then closes idle connections', async () => {
  await using stage = await openStage({ config: { timeouts: { drainDelay: '4s' } } });
  await using idle = await stage.connect();
  await using kept = await stage.connect();
  expect((await kept.exchange(post())).field('connection')).toBeUndefined();

  stage.gateway.signal('SIGTERM');
  await notReady(stage);
  for (const client of [kept, await stage.connect()]) {
    const answer = await client.exchange(post());
    expect(statusOf(answer)).toBe(200);
    expect(answer.field('connection')).toBe('close');
    expect(await client.rest()).toHaveLength(0);
  }
  expect(idle.socket.readableEnded).toBe(false);
  expect(await idle.rest()).toHaveLength(0);
  expect(await stage.gateway.exited()).toEqual({ code: 0 });
});

it('stops accepting before it closes the first of many idle connections, so that no client reconnects to it', async () => {
  await using stage = await openStage({ named: true });
  const idle: Client[] = [];
  // One after the other: handshakes of all at once would overload the relay thread, which then refuses connections.
  for (let count = 0; count < 200; count++) {
    const client = await stage.connect();
    await client.exchange(post());
    idle.push(client);
  }
  stage.gateway.signal('SIGTERM');
  await Promise.race(idle.map((client) => client.rest()));
  await expect(stage.connect()).rejects.toThrow(/ECONNREFUSED/);
  for (const client of idle) expect(await client.rest()).toHaveLength(0);
  expect(await stage.gateway.exited()).toEqual({ code: 0 });
});

it('does not shorten the drain on further signals', async () => {
  await using stage = await openHeld();
  await using busy = await stage.connect();
  busy.write(post());
  await stage.host.request(0);
  for (const signal of ['SIGTERM', 'SIGTERM', 'SIGINT'] as const) {
    stage.gateway.signal(signal);
    await notReady(stage);
  }
  stage.release();
  expect(statusOf(await busy.response())).toBe(200);
  expect(await stage.gateway.exited()).toEqual({ code: 0 });
});

it('records a handshake that the drain cut off', async () => {
  await using stage = await openStage({ config: { timeouts: { drain: '200ms' } } });
  const socket = connectTcp({ port: stage.gateway.port, host: '127.0.0.1' }).on('error', () => {});
  await once(socket, 'connect');
  const { localPort } = socket;
  // Accepted after it, so that the gateway knows the first connection before the signal arrives.
  expect(statusOf(await stage.send(post()))).toBe(200);
  await expectOneRecordEach(stage.gateway, 2);
  const failed = stage.gateway.records().find(({ verdict }) => verdict === 'failed');
  expect(failed).toMatchObject({ source_port: localPort, reason: 'shutdown' });
});

it('has written every record at exit', async () => {
  await using stage = await openStage();
  const clients = await Promise.all(Array.from({ length: 20 }, () => stage.connect()));
  for (const client of clients) client.write(Buffer.concat(Array.from({ length: 10 }, () => post())));
  for (const client of clients) {
    for (let count = 0; count < 10; count++) expect(statusOf(await client.response())).toBe(200);
  }
  await expectOneRecordEach(stage.gateway, 20);
  const ids = stage.gateway
    .records()
    .flatMap(({ type, request_id }) => (type === 'message' ? [request_id] : []));
  expect(new Set(ids).size).toBe(200);
  for (const client of clients) await client[Symbol.asyncDispose]();
});
