/** EHI requires Content-Length: the gateway adds it to short responses without one. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { acknowledgement, openHost, response } from '../support/process/host.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const KiB = 1024;

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ routes: [{ path: '/' }, { path: '/asis', contentLength: 'asis' }] });
});

afterAll(() => stage[Symbol.asyncDispose]());

interface Answer {
  readonly framing: 'chunked' | 'close';
  readonly body: Buffer;
}

/** Writes the body in pieces, each sent before the next. */
async function answerInPieces(socket: Socket, { framing, body }: Answer): Promise<void> {
  const write = (bytes: string | Buffer) => new Promise((written) => socket.write(bytes, written));
  const chunked = framing === 'chunked';
  await write(
    `HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n${chunked ? 'Transfer-Encoding: chunked\r\n' : ''}\r\n`,
  );
  for (let at = 0; at < body.length; at += 20_000) {
    const piece = body.subarray(at, at + 20_000);
    await write(
      chunked
        ? Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
        : piece,
    );
    await new Promise(setImmediate);
  }
  if (chunked) socket.write('0\r\nX-Trailer: dropped\r\n\r\n');
  else socket.end();
}

const cases = (['chunked', 'close'] as const).flatMap((framing) =>
  [0, 1, 64 * KiB, 64 * KiB + 1, 1000 * KiB].flatMap((size) =>
    ([1, 0] as const).map((minor) => ({ framing, size, minor })),
  ),
);

it.each(cases)(
  'relays $size bytes ($framing) to a client on HTTP/1.$minor, with Content-Length if they are short',
  async ({ framing, size, minor }) => {
    const body = randomBytes(size);
    stage.host.options.answer = (_request, socket) => {
      void answerInPieces(socket, { framing, body });
      return null;
    };
    const index = stage.host.requests.length;
    await using client = await stage.connect();
    client.write(`POST / HTTP/1.${minor}\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi`);
    const answer = await client.response();
    expect(answer.body.equals(body)).toBe(true);
    const short = size <= 64 * KiB;
    expect(answer.field('content-length')).toBe(short ? `${size}` : undefined);
    expect(answer.field('transfer-encoding')).toBe(short || minor === 0 ? undefined : 'chunked');
    expect(answer.field('connection')).toBe(minor === 0 ? 'close' : undefined);
    expect(client.error).toBeUndefined();
    if (minor === 1) {
      // The client's connection stays open, whether or not the connection to the host does.
      stage.host.options.answer = () => acknowledgement;
      expect((await client.exchange(post())).raw.equals(acknowledgement)).toBe(true);
    } else expect(await client.rest()).toHaveLength(0);
    expect(await messageOf(stage.gateway, await stage.host.request(index))).toMatchObject({
      outcome: 'answered',
      status: 200,
      response_bytes: size,
    });
  },
);

it('sends a collected response in one write once it is complete', async () => {
  let host: Socket | undefined;
  stage.host.options.answer = (_request, socket) => {
    host = socket;
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
    return null;
  };
  await using client = await stage.connect();
  const pieces: string[] = [];
  client.socket.on('data', (piece: Buffer) => pieces.push(piece.toString()));
  const index = stage.host.requests.length;
  client.write(post());
  await stage.host.request(index);
  // A round trip of another message: the gateway has processed the first piece and sent nothing of it.
  const answer = stage.host.options.answer;
  stage.host.options.answer = () => acknowledgement;
  await stage.send(post());
  expect(pieces).toEqual([]);
  const come = once(client.socket, 'data');
  host?.write('6\r\nsecond\r\n0\r\n\r\n');
  await come;
  expect(pieces).toEqual(['HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nfirstsecond']);

  // Without collecting: the first piece is relayed before the second arrives.
  stage.host.options.answer = answer;
  const begun = once(client.socket, 'data');
  client.write(post({ target: '/asis' }));
  await begun;
  expect(pieces.at(-1)).toBe('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n');
});

it('reuses the connection to the host after a chunked response, but not after a response until close', async () => {
  stage.host.options.answer = () =>
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n';
  await using client = await stage.connect();
  await client.exchange(post());
  const connections = stage.host.connectionCount;
  await client.exchange(post());
  expect(stage.host.connectionCount).toBe(connections);
  stage.host.options.answer = (_request, socket) => {
    socket.end('HTTP/1.1 200 OK\r\n\r\na');
    return null;
  };
  expect((await client.exchange(post())).field('content-length')).toBe('1');
  stage.host.options.answer = () => acknowledgement;
  await client.exchange(post());
  expect(stage.host.connectionCount).toBe(connections + 1);
});

it('counts responses with a body and no Content-Type by route', async () => {
  const name = 'ehi_upstream_answers_without_content_type_total';
  await using fresh = await openStage({ routes: [{ path: '/' }, { path: '/typed' }] });
  const answers = ['a', 'b', ''].map((body) => response({ fields: [], body }));
  fresh.host.options.answer = ({ startLine }) =>
    startLine.includes('/typed') ? acknowledgement : (answers.shift() ?? acknowledgement);
  await using client = await fresh.connect();
  for (let message = 0; message < 4; message++) await client.exchange(post());
  await client.exchange(post({ target: '/typed' }));
  const samples = await metricsWhen(
    fresh.gateway,
    (each) => each.get('ehi_messages_total{route="/typed",code="200"}') === 1,
  );
  expect(samples.get(`${name}{route="/"}`)).toBe(2);
  expect(samples.get(`${name}{route="/typed"}`)).toBe(0);
});

it('answers 502 to a response until close over TLS, whose end cannot be distinguished from a cut', async () => {
  const { chainPem, keyPem } = stage.authority.issueServer();
  await using host = await openHost({}, { tls: { cert: chainPem, key: keyPem } });
  await using secure = await openStage({
    authority: stage.authority,
    files: { 'host-ca.pem': stage.authority.root.pem },
    routes: [{ path: '/', upstream: { url: host.url, tls: { ca: 'host-ca.pem' } } }],
  });
  for (const [bytes, status] of [
    ['HTTP/1.1 200 OK\r\n\r\n{"Acknowledgement":"1"', 502],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n', 200],
  ] as const) {
    host.options.answer = (_request, socket) => {
      socket.end(bytes);
      return null;
    };
    const answer = await secure.send(post());
    expect(statusOf(answer)).toBe(status);
    expect(answer.raw.toString()).not.toContain('Acknowledgement');
    if (status === 502) {
      const record = await messageOf(secure.gateway, answer);
      expect(record).toMatchObject({ outcome: 'failed', reason: 'unproven_end' });
    }
  }
});
