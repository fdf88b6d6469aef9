/** Responses of every framing, as an HTTP/1.1 and an HTTP/1.0 client receive them. */
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { acknowledgement } from '../support/process/host.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage({ routes: [{ path: '/' }, { path: '/asis', contentLength: 'asis' }] });
});

afterAll(() => stage[Symbol.asyncDispose]());

interface AnswerCase {
  readonly what: string;
  readonly method?: 'GET' | 'HEAD';
  readonly host: string;
  /** The host ends its connection after the response. */
  readonly ends?: true;
  /** The exact bytes for an HTTP/1.1 client, when the body is relayed as it arrives. */
  readonly modern: string;
  /** The exact bytes for an HTTP/1.0 client, after which the connection ends. */
  readonly old: string;
  /** The body, if a route with `contentLength: ensure` adds the length to this response. */
  readonly ensured?: string;
}

const ok = 'HTTP/1.1 200 OK\r\n';
const close = 'Connection: close\r\n';

const cases: readonly AnswerCase[] = [
  {
    what: 'Content-Length',
    host: `${ok}X: 1\r\nContent-Length: 2\r\n\r\nok`,
    modern: `${ok}X: 1\r\nContent-Length: 2\r\n\r\nok`,
    old: `${ok}X: 1\r\nContent-Length: 2\r\n${close}\r\nok`,
  },
  {
    what: 'an empty body',
    host: `${ok}Content-Length: 0\r\n\r\n`,
    modern: `${ok}Content-Length: 0\r\n\r\n`,
    old: `${ok}Content-Length: 0\r\n${close}\r\n`,
  },
  {
    what: 'chunks, which leave as one when they came as one',
    host: `${ok}Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n002\r\nbc\r\n0\r\nX-Trailer: 1\r\n\r\n`,
    modern: `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    old: `${ok}${close}\r\nabc`,
    ensured: 'abc',
  },
  {
    what: 'chunks without a byte in them',
    host: `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    modern: `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    old: `${ok}${close}\r\n`,
    ensured: '',
  },
  {
    what: 'a body until the host’s FIN',
    host: `${ok}\r\nuntil the end`,
    ends: true,
    modern: `${ok}Transfer-Encoding: chunked\r\n\r\nd\r\nuntil the end\r\n0\r\n\r\n`,
    old: `${ok}${close}\r\nuntil the end`,
    ensured: 'until the end',
  },
  {
    what: 'no body until the host’s FIN',
    host: `${ok}\r\n`,
    ends: true,
    modern: `${ok}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    old: `${ok}${close}\r\n`,
    ensured: '',
  },
  {
    what: 'HTTP/1.0, until the host’s FIN',
    host: 'HTTP/1.0 200 OK\r\n\r\nold',
    ends: true,
    modern: `${ok}Transfer-Encoding: chunked\r\n\r\n3\r\nold\r\n0\r\n\r\n`,
    old: `${ok}${close}\r\nold`,
    ensured: 'old',
  },
  {
    what: 'no reason phrase',
    host: 'HTTP/1.1 299\r\nContent-Length: 2\r\n\r\nok',
    modern: 'HTTP/1.1 299 \r\nContent-Length: 2\r\n\r\nok',
    old: `HTTP/1.1 299 \r\nContent-Length: 2\r\n${close}\r\nok`,
  },
  {
    what: 'an answer to HEAD that says how long it would be',
    method: 'HEAD',
    host: `${ok}Content-Length: 1000\r\n\r\n`,
    modern: `${ok}Content-Length: 1000\r\n\r\n`,
    old: `${ok}Content-Length: 1000\r\n${close}\r\n`,
  },
  {
    what: 'an answer to HEAD that would be chunked',
    method: 'HEAD',
    host: `${ok}Transfer-Encoding: chunked\r\n\r\n`,
    modern: `${ok}\r\n`,
    old: `${ok}${close}\r\n`,
  },
  {
    what: '204, whose Content-Length means nothing',
    host: 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
    modern: 'HTTP/1.1 204 No Content\r\n\r\n',
    old: `HTTP/1.1 204 No Content\r\n${close}\r\n`,
  },
  {
    what: '304, whose Content-Length is that of the answer to GET',
    host: 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 1000\r\n\r\n',
    modern: 'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 1000\r\n\r\n',
    old: `HTTP/1.1 304 Not Modified\r\nETag: "a"\r\nContent-Length: 1000\r\n${close}\r\n`,
  },
  {
    what: 'interim answers, of which 100 is the gateway’s own affair',
    host:
      'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' +
      `HTTP/1.1 102 Processing\r\n\r\n${ok}Content-Length: 2\r\n\r\nok`,
    modern:
      'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n' +
      `HTTP/1.1 102 Processing\r\n\r\n${ok}Content-Length: 2\r\n\r\nok`,
    old: `${ok}Content-Length: 2\r\n${close}\r\nok`,
  },
];

/** Writes in one write, or byte by byte, each byte sent before the next. */
async function writeAnswer(socket: Socket, bytes: string, options: { slowly: boolean; ends: boolean }) {
  const parts = options.slowly ? [...bytes] : [bytes];
  for (const part of parts) {
    await new Promise((written) => socket.write(part, 'latin1', written));
    if (options.slowly) await new Promise(setImmediate);
  }
  if (options.ends) socket.end();
}

/** The case as `contentLength: ensure` changes it. */
function ensured({ ensured: body, modern, old, ...rest }: AnswerCase): AnswerCase {
  if (body === undefined) return { ...rest, modern, old };
  const framed = (connection: string) => `${ok}Content-Length: ${body.length}\r\n${connection}\r\n${body}`;
  return { ...rest, modern: framed(''), old: framed(close) };
}

const ways = [true, false].flatMap((slowly) => [
  { slowly, path: '/', answers: cases.map(ensured) },
  { slowly, path: '/asis', answers: cases },
]);

describe.each(ways)('on $path, written byte by byte: $slowly,', ({ slowly, path, answers }) => {
  it.each(answers)('relays $what', async ({ method = 'GET', host, ends = false, modern, old }) => {
    stage.host.options.answer = (request, socket) => {
      if (request.startLine.startsWith('POST')) return acknowledgement;
      void writeAnswer(socket, host, { slowly, ends });
      return null;
    };
    const first = stage.host.requests.length;
    await using newer = await stage.connect();
    newer.write(`${method} ${path} HTTP/1.1\r\nHost: a\r\n\r\n`).write(post({ fields: [close.trim()] }));
    const acknowledged = acknowledgement.toString().replace('\r\n\r\n', `\r\n${close}\r\n`);
    const raw = (await newer.rest()).toString();
    expect(raw.endsWith(acknowledged)).toBe(true);
    expect(merge(raw.slice(0, -acknowledged.length))).toBe(modern);
    expect(newer.error).toBeUndefined();

    await using older = await stage.connect();
    older.write(`${method} ${path} HTTP/1.0\r\n\r\n`);
    expect((await older.rest()).toString()).toBe(old);
    expect(older.error).toBeUndefined();

    const status = Number(/HTTP\/1\.. ([2-9]\d\d)/.exec(host)?.[1]);
    expect(await messageOf(stage.gateway, await stage.host.request(first))).toMatchObject({
      outcome: 'answered',
      status,
      method,
    });
  });
});

/** Joins all chunks into one: their number depends on how the bytes arrived. */
function merge(raw: string): string {
  const [head = '', ...rest] = raw.split('Transfer-Encoding: chunked\r\n\r\n');
  if (rest.length === 0) return raw;
  const body = rest.join('');
  const payload = [...body.matchAll(/([0-9a-f]+)\r\n([\s\S]*?)\r\n/g)].map(([, , part]) => part).join('');
  const chunk = payload === '' ? '' : `${payload.length.toString(16)}\r\n${payload}\r\n`;
  return body.endsWith('0\r\n\r\n') ? `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n` : raw;
}

it('answers 502 to a 101 of the host, since the request that it got has no Upgrade field', async () => {
  stage.host.options.answer = () => 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n';
  const answer = await stage.send(post({ fields: ['Connection: Upgrade', 'Upgrade: x'] }));
  expect(statusOf(answer)).toBe(502);
  expect(await messageOf(stage.gateway, answer)).toMatchObject({ outcome: 'failed', reason: 'bad_answer' });
});
