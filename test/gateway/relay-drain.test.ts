/** SIGTERM with messages in flight: they are finished, and no new message begins. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { acknowledgement, type Host } from '../support/process/host.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

/** Resolves with the host's socket once the host has a message, which it does not answer. */
function silent(host: Host): Promise<Socket> {
  return new Promise((resolve) => {
    host.options.answer = (_request, socket) => {
      resolve(socket);
      return null;
    };
  });
}

/** Sends SIGTERM; resolves once the gateway has closed an idle connection, so that the drain has begun. */
async function beginDrain(stage: Stage): Promise<void> {
  await using idle = await stage.connect();
  stage.gateway.signal('SIGTERM');
  expect(await idle.rest()).toHaveLength(0);
}

it('finishes the exchange in flight, sends Connection: close, and exits with 0', async () => {
  await using stage = await openStage();
  const asked = silent(stage.host);
  await using client = await stage.connect();
  client.write(Buffer.concat([post({ body: 'begun' }), post({ body: 'pipelined after it' })]));
  const socket = await asked;
  await beginDrain(stage);
  await expect(stage.connect()).rejects.toThrow(/ECONNREFUSED/);
  socket.write(acknowledgement);
  const answer = await client.response();
  expect(statusOf(answer)).toBe(200);
  expect(answer.field('connection')).toBe('close');
  expect(await client.rest()).toHaveLength(0);
  expect(client.error).toBeUndefined();
  client.halfClose();
  expect(await stage.gateway.exited()).toEqual({ code: 0 });
  expect(stage.host.requests.map(({ body }) => body.toString())).toEqual(['begun']);
  expect(await messageOf(stage.gateway, await stage.host.request(0))).toMatchObject({ outcome: 'answered' });
});

it('reads the rest of a request in flight', async () => {
  await using stage = await openStage();
  await using client = await stage.connect();
  const begun = new Promise<void>((resolve) => {
    stage.host.options.onHead = () => resolve();
  });
  client.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nhalf');
  await begun;
  await beginDrain(stage);
  const answer = await client.exchange('half');
  expect(statusOf(answer)).toBe(200);
  expect(answer.field('connection')).toBe('close');
  client.halfClose();
  expect(await stage.gateway.exited()).toEqual({ code: 0 });
});

it('answers 503 at the end of timeouts.drain to a message that the host has not answered', async () => {
  await using stage = await openStage({ config: { timeouts: { drain: '200ms' } } });
  const asked = silent(stage.host);
  await using client = await stage.connect();
  client.write(post());
  await asked;
  stage.gateway.signal('SIGTERM');
  const answer = await client.response();
  expect(statusOf(answer)).toBe(503);
  expect(answer.field('connection')).toBe('close');
  expect(answer.field('retry-after')).toBe('1');
  expect(await stage.gateway.exited()).toEqual({ code: 0 });
  expect(await messageOf(stage.gateway, answer)).toMatchObject({ outcome: 'failed', reason: 'shutdown' });
});

it('cuts a response that has begun at the end of timeouts.drain', async () => {
  await using stage = await openStage({
    routes: [{ path: '/', contentLength: 'asis' }],
    config: { timeouts: { drain: '200ms' } },
  });
  const asked = silent(stage.host);
  await using client = await stage.connect();
  // On HTTP/1.0 only the end of the connection marks the end of such a response.
  const begun = once(client.socket, 'data');
  client.write('GET /cut HTTP/1.0\r\n\r\n');
  (await asked).write('HTTP/1.1 200 OK\r\n\r\nthe beginning');
  await begun;
  stage.gateway.signal('SIGTERM');
  await expect(client.response()).rejects.toThrow(/ended after/);
  expect(client.error).toMatchObject({ code: 'ECONNRESET' });
  expect(await stage.gateway.exited()).toEqual({ code: 0 });
  const record = stage.gateway.records().find(({ path }) => path === '/cut');
  expect(record).toMatchObject({ outcome: 'cut', reason: 'shutdown', status: 200 });
});
