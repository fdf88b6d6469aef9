/** All bytes arrive one at a time, including the handshake: the message, response and record are the same. */
import { randomBytes } from 'node:crypto';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { response } from '../support/process/host.ts';
import { type Listening, listenOnLoopback } from '../support/process/listening.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;
/** A forwarder between client and gateway that writes every byte separately. */
let forwarder: Listening;

/** Forwards byte by byte, each byte sent before the next. */
async function forwardByteByByte(from: Socket, to: Socket): Promise<void> {
  for await (const chunk of from as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length; at++) {
      await new Promise((written) => to.write(chunk.subarray(at, at + 1), written));
    }
  }
  to.end();
}

beforeAll(async () => {
  stage = await openStage();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (client) => {
    const gateway = connectTcp({ port: stage.gateway.port, noDelay: true, allowHalfOpen: true });
    for (const [from, to] of [
      [client, gateway],
      [gateway, client],
    ] as const) {
      from.on('error', () => {});
      forwardByteByByte(from, to).catch(() => {});
    }
  });
  forwarder = await listenOnLoopback(server);
});

afterAll(async () => {
  await forwarder[Symbol.asyncDispose]();
  await stage[Symbol.asyncDispose]();
});

/** A body of 300 bytes in its framing; the chunks are of 1 to 24 bytes. */
function frame(body: Buffer, framing: 'length' | 'chunked'): Buffer {
  if (framing === 'length')
    return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
  const parts: (string | Buffer)[] = ['Transfer-Encoding: chunked\r\n\r\n'];
  for (let at = 0, size = 1; at < body.length; at += size++) {
    const chunk = body.subarray(at, at + size);
    parts.push(`${chunk.length.toString(16)}\r\n`, chunk, '\r\n');
  }
  return Buffer.concat([...parts, '0\r\n\r\n'].map((part) => Buffer.from(part as string)));
}

const ways = (['TLSv1.3', 'TLSv1.2'] as const).flatMap((version) =>
  (['length', 'chunked'] as const).map((framing) => ({ version, framing })),
);

it.each(ways)('relays a message and its response over $version ($framing)', async ({ version, framing }) => {
  const [asked, answered] = [randomBytes(300), randomBytes(300)];
  const answer = Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n'), frame(answered, framing)]);
  stage.host.options.answer = (_request, socket) => {
    void (async () => {
      for (const byte of answer) await new Promise((written) => socket.write(Buffer.of(byte), written));
    })();
    return null;
  };
  const index = stage.host.requests.length;
  await using client = await stage.connect({
    port: forwarder.port,
    minVersion: version,
    maxVersion: version,
  });
  const head = Buffer.from('POST /ehi HTTP/1.1\r\nHost: ehi.example\r\n');
  // One TLS record for each byte, too.
  for (const byte of Buffer.concat([head, frame(asked, framing)])) {
    await new Promise((written) => client.socket.write(Buffer.of(byte), written));
  }
  const received = await client.response();
  expect(statusOf(received)).toBe(200);
  expect(received.body.equals(answered)).toBe(true);
  expect(client.socket.getProtocol()).toBe(version);

  const request = await stage.host.request(index);
  expect(request.startLine).toBe('POST /ehi HTTP/1.1');
  expect(request.body.equals(asked)).toBe(true);
  const record = await messageOf(stage.gateway, request);
  expect(record).toMatchObject({ outcome: 'answered', status: 200, path: '/ehi' });
  expect(record).toMatchObject({ request_bytes: 300, response_bytes: 300 });
  const handshake = await stage.gateway.audit(
    ({ type, conn_id }) => type === 'handshake' && conn_id === record.conn_id,
  );
  expect(handshake).toMatchObject({ verdict: 'allow', tls_version: version });

  // The connection stays open, at the same pace.
  stage.host.options.answer = () => response({ body: 'again' });
  const again = await client.exchange('GET /again HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(again.body.toString()).toBe('again');
});

it('refuses a client without a certificate, with the page and a record', async () => {
  const requests = stage.host.requests.length;
  await using client = await stage.connect({ port: forwarder.port, leaf: undefined });
  const answer = await client.exchange('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  expect(statusOf(answer)).toBe(400);
  expect(answer.body.toString()).toMatch(/<\/html>\n$/);
  const record = await messageOf(stage.gateway, answer);
  expect(record).toMatchObject({ outcome: 'denied', reason: 'no_certificate' });
  expect(stage.host.requests).toHaveLength(requests);
});
