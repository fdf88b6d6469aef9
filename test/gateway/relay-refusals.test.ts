/** Requests that the codec refuses: the status, the end of the connection, the record, and nothing for the host. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { messageRefusals, type RefusalName } from '../../src/message/message-reasons.ts';
import { type Message, statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({
    config: { limits: { head: '1KiB', fields: 5, body: '1KiB' } },
  });
});

afterAll(() => stage[Symbol.asyncDispose]());

/** A valid head plus the fields under test. */
const head = (fields: string, start = 'POST /there HTTP/1.1') => `${start}\r\nHost: a\r\n${fields}\r\n`;
const chunked = head('Transfer-Encoding: chunked\r\n');

/** Bytes to write on a new connection, by the refusal reason. */
const refusals: { readonly [reason in RefusalName]?: readonly string[] } = {
  request_line: [
    'GET /\r\nHost: a\r\n\r\n',
    'GET  / HTTP/1.1\r\nHost: a\r\n\r\n',
    '\r\n\r\nGET / HTTP/1.1\r\n\r\n',
  ],
  line_end: [
    'GET / HTTP/1.1\nHost: a\n\n',
    'GET / HTTP/1.1\r\nX: a\rb\r\n\r\n',
    'GET / HTTP/1.1\r\nX: \0\r\n\r\n',
  ],
  method: [
    ...[head('', 'TRACE / HTTP/1.1'), head('', 'CONNECT a:1 HTTP/1.1'), head('', 'post / HTTP/1.1')],
    'A'.repeat(1100),
  ],
  version: [head('', 'GET / HTTP/2.0'), head('', 'GET / HTTP/1.2')],
  target: [head('', 'GET http://a/ HTTP/1.1'), head('', 'GET * HTTP/1.1'), head('', 'GET /%4 HTTP/1.1')],
  options_asterisk: [head('', 'OPTIONS * HTTP/1.1')],
  target_ambiguous: [
    head('', 'GET /a/../b HTTP/1.1'),
    head('', 'GET //a HTTP/1.1'),
    head('', 'GET /%2e HTTP/1.1'),
    head('', 'GET /a%0d%0aX HTTP/1.1'),
    head('', 'GET /a%250d HTTP/1.1'),
  ],
  target_length: [`GET /${'a'.repeat(1024)}`, head('', `GET /${'a'.repeat(1024)} HTTP/1.1`)],
  head_length: [`GET / HTTP/1.1\r\nX: ${'a'.repeat(1024)}`, head(`X: ${'a'.repeat(1024)}\r\n`)],
  field_count: [head('A: 1\r\n'.repeat(5))],
  field_name: [head('X : 1\r\n'), head('X\r\n'), head(': 1\r\n'), head('X(: 1\r\n')],
  field_value: [head('X: a\x01\r\n'), head('X: a\x7f\r\n')],
  line_folding: [head('X: a\r\n b\r\n')],
  host: [
    'GET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n',
    'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n',
    head('', 'GET https://b/ HTTP/1.1'),
  ],
  connection_names: ['host', 'content-length', 'content-type', 'transfer-encoding', 'Expect', 'a b'].map(
    (name) => head(`Connection: close, ${name}\r\nContent-Length: 0\r\n`),
  ),
  content_length: ['+1', '1,1', '0x1', '', '1'].map((length) =>
    head(`Content-Length: ${length}\r\n${length === '1' ? 'Content-Length: 1\r\n' : ''}`),
  ),
  transfer_encoding: [
    head('Transfer-Encoding: chunked\r\nContent-Length: 1\r\n'),
    head('Transfer-Encoding: gzip\r\n'),
    head('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n'),
    head('Transfer-Encoding: chunked\r\n', 'POST / HTTP/1.0'),
  ],
  transfer_coding: [head('Transfer-Encoding: gzip, chunked\r\n')],
  length_required: ['POST', 'PUT', 'PATCH'].map((method) => head('', `${method} / HTTP/1.1`)),
  body_length: [head('Content-Length: 1025\r\n'), `${chunked}401\r\n`],
  expectation: [head('Expect: 200-ok\r\nContent-Length: 1\r\n')],
  chunk: ['1;\r\n', '1 ;a\r\n', '1 \r\n', '\n', '000000001\r\n', 'g\r\n', '1\n', '\r\n'].map(
    (line) => chunked + line,
  ),
  trailer: ['X\r\n', ' X: 1\r\n', `X: ${'a'.repeat(1024)}`].map((line) => `${chunked}0\r\n${line}`),
};

function expectRefusal(answer: Message, reason: RefusalName): void {
  expect(statusOf(answer)).toBe(messageRefusals[reason].status);
  expect(answer.field('connection')).toBe('close');
  expect(answer.field('content-type')).toBe('application/json');
  expect(answer.body.toString()).not.toMatch(/acknowledg|status|"00"/i);
  expect(Object.keys(JSON.parse(answer.body.toString()))).toEqual(['error', 'request_id']);
  expect(JSON.parse(answer.body.toString()).request_id).toBe(answer.field('x-request-id'));
}

const bytesOf = Object.entries(refusals).flatMap(([reason, all]) =>
  all.map((bytes) => ({ reason: reason as RefusalName, bytes })),
);

describe('a request that is refused', () => {
  it.each(bytesOf)(
    'for $reason gets the status of the reason, and the connection is closed ($bytes)',
    async ({ reason, bytes }) => {
      await using client = await stage.connect();
      client.write(Buffer.from(bytes, 'latin1'));
      const answer = await client.response();
      expectRefusal(answer, reason);
      expect(await client.rest()).toHaveLength(0);
      expect(client.error).toBeUndefined();
      expect(await messageOf(stage.gateway, answer)).toMatchObject({
        type: 'message',
        outcome: 'denied',
        reason,
        status: messageRefusals[reason].status,
      });
    },
  );

  /** The bytes that the host received on each connection. */
  const received = () =>
    Array.from({ length: stage.host.connectionCount }, (_, index) => stage.host.received(index));
  let requests = 0;
  let earlier: readonly number[] = [];
  beforeAll(() => {
    requests = stage.host.requests.length;
    earlier = received().map(({ length }) => length);
  });
  // None of them has reached the host.
  afterAll(() => {
    expect(stage.host.requests).toHaveLength(requests);
    const bytes = received().map((all, index) => all.subarray(earlier[index] ?? 0));
    expect(Buffer.concat(bytes).toString()).not.toContain('GET');
  });
});

it('closes the connection to the host without completing the request when its body becomes malformed', async () => {
  const requests = stage.host.requests.length;
  await using client = await stage.connect();
  const begun = new Promise<void>((resolve) => {
    stage.host.options.onHead = () => resolve();
  });
  client.write(`${chunked}5\r\nhello\r\n`);
  await begun;
  const answer = await client.write('1;\r\n').response();
  delete stage.host.options.onHead;
  expectRefusal(answer, 'chunk');
  expect(await messageOf(stage.gateway, answer)).toMatchObject({
    outcome: 'denied',
    route: '/',
    path: '/there',
  });
  expect(stage.host.requests).toHaveLength(requests);
});

it('answers the messages before a refused one and none after it', async () => {
  const index = stage.host.requests.length;
  await using client = await stage.connect();
  client.write(
    Buffer.concat([post({ body: '1' }), Buffer.from(head('', 'TRACE / HTTP/1.1')), post({ body: '2' })]),
  );
  expect(statusOf(await client.response())).toBe(200);
  expectRefusal(await client.response(), 'method');
  expect(await client.rest()).toHaveLength(0);
  expect(stage.host.requests.slice(index).map(({ body }) => body.toString())).toEqual(['1']);
});

it('refuses HEAD without a body', async () => {
  await using client = await stage.connect();
  const answer = await client.exchange(head('', 'HEAD /%2e HTTP/1.1'), { bodiless: true });
  expect(statusOf(answer)).toBe(400);
  expect(await client.rest()).toHaveLength(0);
});
