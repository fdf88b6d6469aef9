/** Reuse of connections to the host: only when the last response ended as framed and the connection is open. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { acknowledgement, type Host, openHost, response } from '../support/process/host.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;
/** Another one for each test, with one idle connection. */
let host: Host;
/** The host's socket of the connection that carried the last message. */
let last: Socket;

beforeAll(async () => {
  stage = await openStage();
});

afterAll(() => stage[Symbol.asyncDispose]());

beforeEach(async () => {
  host = await openHost();
  await stage.leadTo(host.url);
  await exchange(acknowledgement);
});

afterEach(() => host[Symbol.asyncDispose]());

/** Sends one message that the host answers with these bytes; returns whether it used a new connection. */
async function exchange(
  answer: string | Buffer,
  request: string | Buffer = post(),
): Promise<{ fresh: boolean }> {
  host.options.answer = (_request, socket) => {
    last = socket;
    return answer;
  };
  const before = host.connectionCount;
  expect(statusOf(await stage.send(request))).toBe(200);
  return { fresh: host.connectionCount > before };
}

it('reuses a connection whose response ended as framed, also for another client', async () => {
  expect(await exchange(acknowledgement)).toEqual({ fresh: false });
  const chunked = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';
  expect(await exchange(chunked)).toEqual({ fresh: false });
  expect(await exchange(acknowledgement)).toEqual({ fresh: false });
  const old = 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok';
  expect(await exchange(old)).toEqual({ fresh: false });
  expect(await exchange(acknowledgement)).toEqual({ fresh: false });
});

it.each([
  [
    'with Connection: close from the host',
    'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok',
  ],
  ['on HTTP/1.0 without Connection: keep-alive', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok'],
  ['with bytes after the response', `${acknowledgement}x`],
  ['with a second response after the first', `${acknowledgement}${acknowledgement}`],
  ['with bytes after the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nx'],
])('does not reuse a connection %s', async (_which, answer) => {
  expect(await exchange(answer)).toEqual({ fresh: false });
  const closing = last;
  expect(await exchange(acknowledgement)).toEqual({ fresh: true });
  if (!closing.closed) await once(closing, 'close');
});

it.each([
  ['ends it', (socket: Socket) => socket.end()],
  ['resets it', (socket: Socket) => socket.resetAndDestroy()],
  ['writes bytes on it', (socket: Socket) => socket.write(acknowledgement)],
])('does not reuse a connection once the host %s between two messages', async (_what, act) => {
  const idle = last;
  act(idle);
  // The gateway's FIN has arrived, so the host's bytes were delivered.
  if (!idle.closed) await once(idle, 'close');
  expect(await exchange(acknowledgement)).toEqual({ fresh: true });
  // The gateway learns from this end how long the host keeps idle connections; a busy test machine may take longer.
  await eventually(
    () => exchange(response({ body: 'next' })),
    ({ fresh }) => !fresh,
  );
});

it('does not reuse a connection whose request was incomplete when the response ended', async () => {
  const early = new Promise<Socket>((resolve) => {
    host.options.onHead = (_head, socket) => {
      delete host.options.onHead;
      socket.write(acknowledgement);
      resolve(socket);
    };
  });
  const request = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf';
  expect(statusOf(await stage.send(request))).toBe(200);
  const socket = await early;
  expect(await exchange(acknowledgement)).toEqual({ fresh: true });
  if (!socket.closed) await once(socket, 'close');
});

it('uses a separate connection for each of two concurrent messages', async () => {
  const asked: Socket[] = [];
  const both = new Promise<void>((resolve) => {
    host.options.answer = (_request, socket) => {
      if (asked.push(socket) === 2) resolve();
      return null;
    };
  });
  const answers = [stage.send(post({ body: 'a' })), stage.send(post({ body: 'b' }))];
  await both;
  expect(new Set(asked).size).toBe(2);
  for (const socket of asked) socket.write(acknowledgement);
  for (const answer of answers) expect(statusOf(await answer)).toBe(200);
});
