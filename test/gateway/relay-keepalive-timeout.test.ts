/** `timeouts.keepAlive`: idle connections are closed with close_notify and FIN, and no others are closed. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { type Client, post } from '../support/process/client.ts';
import { acknowledgement } from '../support/process/host.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { handshakeFrom, messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ config: { timeouts: { keepAlive: '2s' } } });
});

beforeEach(() => {
  stage.host.options.answer = () => acknowledgement;
});

afterAll(() => stage[Symbol.asyncDispose]());

/** Expects that the gateway closes with close_notify and FIN, and sends nothing after the last response. */
async function expectClosed(client: Client): Promise<void> {
  expect(await client.rest()).toHaveLength(0);
  expect(client.socket.readableEnded).toBe(true);
  expect(client.error).toBeUndefined();
}

/** The message records of the connection, once no further record of it can follow. */
async function messagesOf(connId: string): Promise<unknown[]> {
  const index = stage.host.requests.length;
  expect(statusOf(await stage.send(post()))).toBe(200);
  await messageOf(stage.gateway, await stage.host.request(index));
  return stage.gateway.records().filter(({ type, conn_id }) => type === 'message' && conn_id === connId);
}

it('closes a connection that has never had a message', async () => {
  const { connectionCount } = stage.host;
  await using client = await stage.connect();
  const { conn_id, verdict } = await handshakeFrom(stage.gateway, client.socket);
  await expectClosed(client);
  expect(verdict).toBe('allow');
  expect(stage.host.connectionCount).toBe(connectionCount);
  expect(await messagesOf(conn_id)).toEqual([]);
});

it('closes a connection after its last message, and records nothing but the message', async () => {
  const index = stage.host.requests.length;
  await using client = await stage.connect();
  expect(statusOf(await client.exchange(post()))).toBe(200);
  await expectClosed(client);
  const record = await messageOf(stage.gateway, await stage.host.request(index));
  expect(record).toMatchObject({ outcome: 'answered', status: 200 });
  expect(stage.host.requests).toHaveLength(index + 1);
  expect(await messagesOf(record.conn_id)).toEqual([record]);
});

it('keeps a connection open while the host takes longer than that to answer', async () => {
  const asked = new Promise<Socket>((resolve) => {
    stage.host.options.answer = (request, socket) => {
      if (!request.startLine.includes('/long')) return acknowledgement;
      resolve(socket);
      return null;
    };
  });
  const index = stage.host.requests.length;
  await using client = await stage.connect();
  client.write(post({ target: '/long' }));
  const host = await asked;
  // Another connection that became idle later is closed first.
  await using idle = await stage.connect();
  await expectClosed(idle);
  expect(client.socket.readableEnded).toBe(false);
  host.write(acknowledgement);
  expect(statusOf(await client.response())).toBe(200);
  const record = await messageOf(stage.gateway, await stage.host.request(index));
  expect(record).toMatchObject({ outcome: 'answered', status: 200, path: '/long' });
  expect(record.total_ms).toBeGreaterThanOrEqual(2000);
  await expectClosed(client);
});

it('keeps a connection open whose messages arrive in time', async () => {
  const index = stage.host.requests.length;
  await using client = await stage.connect();
  let over = false;
  const twice = (async () => {
    for (let each = 0; each < 2; each++) {
      await using idle = await stage.connect();
      await expectClosed(idle);
    }
    over = true;
  })();
  let messages = 0;
  for (; !over; messages++) expect(statusOf(await client.exchange(post()))).toBe(200);
  await twice;
  await expectClosed(client);
  const requests = stage.host.requests.slice(index);
  expect(requests).toHaveLength(messages);
  const records = await Promise.all(requests.map((request) => messageOf(stage.gateway, request)));
  expect(new Set(records.map(({ conn_id, outcome }) => `${conn_id} ${outcome}`)).size).toBe(1);
});

it('closes every one of many idle connections', async () => {
  const crowd = await Promise.all(Array.from({ length: 50 }, () => stage.connect()));
  await Promise.all(crowd.map(expectClosed));
  for (const client of crowd) await client[Symbol.asyncDispose]();
  await metricsWhen(stage.gateway, (samples) => samples.get('ehi_connections') === 0);
});
