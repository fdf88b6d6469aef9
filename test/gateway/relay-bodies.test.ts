/** Bodies are relayed unchanged in both directions, for every framing and every pace. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const KiB = 1024;
const MiB = 1024 * KiB;

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ named: true, config: { limits: { body: '16MiB' } } });
});

afterAll(() => stage[Symbol.asyncDispose]());

type Framing = 'length' | 'chunked';
type Writes = 'one write' | '1-byte writes';

/** A whole message: the start line and fields given, the framing field, and the body in that framing. */
function frame(start: string, body: Buffer, framing: Framing): Buffer {
  if (framing === 'length') {
    return Buffer.concat([Buffer.from(`${start}Content-Length: ${body.length}\r\n\r\n`), body]);
  }
  const parts: Buffer[] = [Buffer.from(`${start}Transfer-Encoding: chunked\r\n\r\n`)];
  for (let at = 0, size = 1; at < body.length; at += size, size = (size * 7) % 70_001) {
    const chunk = body.subarray(at, at + size);
    parts.push(Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

function write(socket: Socket, bytes: Buffer, writes: Writes): void {
  if (writes === 'one write') socket.write(bytes);
  else for (let at = 0; at < bytes.length; at++) socket.write(bytes.subarray(at, at + 1));
}

const cases = [0, 1, 64 * KiB, 10 * MiB].flatMap((size) =>
  (['length', 'chunked'] as const).flatMap((framing) =>
    (size > 64 * KiB ? (['one write'] as const) : (['one write', '1-byte writes'] as const)).map(
      (writes) => ({
        size,
        framing,
        writes,
      }),
    ),
  ),
);

it.each(cases)(
  'relays a body of $size random bytes ($framing, $writes) unchanged in both directions',
  async ({ size, framing, writes }) => {
    const asked = randomBytes(size);
    const answered = randomBytes(size);
    stage.host.options.answer = (_request, socket) => {
      write(socket, frame('HTTP/1.1 200 OK\r\n', answered, framing), writes);
      return null;
    };
    await using client = await stage.connect();
    const index = stage.host.requests.length;
    write(client.socket, frame('POST /ehi HTTP/1.1\r\nHost: ehi.example\r\n', asked, framing), writes);

    const answer = await client.response();
    expect(statusOf(answer)).toBe(200);
    expect(answer.body.equals(answered)).toBe(true);
    const received = await stage.host.request(index);
    expect(received.body.equals(asked)).toBe(true);
    expect(received.field('content-length')).toBe(framing === 'length' ? `${size}` : undefined);
    expect(received.field('transfer-encoding')).toBe(framing === 'chunked' ? 'chunked' : undefined);

    expect(await messageOf(stage.gateway, received)).toMatchObject({
      outcome: 'answered',
      status: 200,
      request_bytes: size,
      response_bytes: size,
    });
  },
);
