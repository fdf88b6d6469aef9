/** Responses that end early: the client's connection is cut too, so that no partial response looks complete. */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Message, statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { type Client, post } from '../support/process/client.ts';
import { type Host, openHost } from '../support/process/host.ts';
import { messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;
/** Speaks TLS. */
let secure: Host;

beforeAll(async () => {
  const pki = authority({ name: 'Host' });
  const { chainPem: cert, keyPem: key } = pki.issueServer();
  secure = await openHost({}, { tls: { cert, key } });
  stage = await openStage({
    named: true,
    routes: [
      { path: '/', contentLength: 'asis' },
      { path: '/ensured', contentLength: 'ensure' },
      { path: '/quick', deadline: '2s' },
      {
        path: '/secure',
        contentLength: 'asis',
        upstream: [{ url: secure.url, tls: { ca: 'host-ca.pem' } }],
      },
    ],
    files: { 'host-ca.pem': pki.root.pem },
  });
});

afterAll(async () => {
  await stage[Symbol.asyncDispose]();
  await secure[Symbol.asyncDispose]();
});

/** The complete response, or null if the connection was reset before. */
async function answerOrCut(client: Client): Promise<Message | null> {
  try {
    return await client.response();
  } catch {
    expect(client.error).toMatchObject({ code: 'ECONNRESET' });
    return null;
  }
}

const framed = {
  'with Content-Length': 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123456789',
  'in chunks': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n',
  'until the host’s FIN': 'HTTP/1.1 200 OK\r\n\r\n0123456789',
} as const;

describe.each(Object.entries(framed))('a response %s, cut at every byte', (framing, whole) => {
  const headEnd = whole.indexOf('\r\n\r\n') + 4;
  const ways = framing === 'until the host’s FIN' ? (['reset'] as const) : (['FIN', 'reset'] as const);

  it.each(ways.flatMap((way) => (['1', '0'] as const).map((minor) => ({ way, minor }))))(
    'by a $way is never complete for a client on HTTP/1.$minor',
    async ({ way, minor }) => {
      const cuts: Message[] = [];
      for (let offset = 0; offset < whole.length; offset++) {
        stage.host.options.answer = (_request, socket) => {
          const end = () => (way === 'FIN' ? socket.end() : socket.resetAndDestroy());
          if (offset === 0) end();
          else socket.write(whole.slice(0, offset), () => setImmediate(end));
          return null;
        };
        const index = stage.host.requests.length;
        await using client = await stage.connect();
        client.write(`POST /cut HTTP/1.${minor}\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi`);
        const answer = await answerOrCut(client);
        // A reset may overtake bytes that were written before it.
        if (way === 'FIN') expect(answer === null).toBe(offset >= headEnd);
        if (answer === null) cuts.push(await stage.host.request(index));
        else {
          expect(statusOf(answer)).toBe(502);
          const failed = { outcome: 'failed', reason: 'closed_early', status: 502, response_bytes: 0 };
          expect(await messageOf(stage.gateway, answer)).toMatchObject(failed);
        }
        expect(stage.host.requests.length).toBe(index + 1);
      }
      const records = await Promise.all(cuts.map((request) => messageOf(stage.gateway, request)));
      const cut = { outcome: 'cut', reason: 'answer_cut', status: 200 };
      expect(records).toEqual(records.map(() => expect.objectContaining(cut)));
    },
  );
});

describe.each(Object.entries(framed))('a response over TLS %s, cut at every byte', (framing, whole) => {
  const headEnd = whole.indexOf('\r\n\r\n') + 4;
  const failed = { outcome: 'failed', status: 502, response_bytes: 0 };
  const early = { ...failed, reason: 'closed_early' };
  /** Resolves once the head has arrived. */
  const later =
    framing === 'until the host’s FIN'
      ? { ...failed, reason: 'unproven_end' }
      : { outcome: 'cut', reason: 'answer_cut', status: 200 };

  /** The client's response and the record, for a response that ends after `length` bytes. */
  async function askFor(offset: number) {
    await using client = await stage.connect();
    client.write(post({ target: '/secure', body: `${offset}` }));
    const answer = await answerOrCut(client);
    const request = secure.requests.find(({ body }) => body.toString() === `${offset}`) as Message;
    return { offset, answer, record: await messageOf(stage.gateway, request) };
  }

  it.each(['FIN without close_notify', 'reset'])('by a %s is never complete', async (way) => {
    secure.requests.length = 0;
    secure.options.answer = ({ body }, socket) => {
      const transport = secure.transportOf(socket);
      const end = () => (way === 'reset' ? transport.resetAndDestroy() : transport.destroy());
      if (`${body}` === '0') end();
      else socket.write(whole.slice(0, Number(body)), () => setImmediate(end));
      return null;
    };
    const offsets = [...Array(whole.length).keys()];
    for (const { offset, answer, record } of await Promise.all(offsets.map(askFor))) {
      const due = offset < headEnd ? [early] : [later];
      // A reset may overtake bytes that were written before it.
      if (way === 'reset') due.push(early);
      expect(due.map((each) => expect.objectContaining(each))).toContainEqual(record);
      expect(answer === null ? 'cut' : statusOf(answer)).toBe(record.outcome === 'cut' ? 'cut' : 502);
    }
    const heard = secure.requests.map(({ body }) => Number(body));
    expect(heard.sort((one, other) => one - other)).toEqual(offsets);
  });
});

const measured = ['in chunks', 'until the host’s FIN'] as const;

describe.each(measured)('a response %s, collected for its length and cut at every byte', (framing) => {
  const whole = framed[framing];
  const headEnd = whole.indexOf('\r\n\r\n') + 4;
  const ways = framing === 'in chunks' ? (['FIN', 'reset'] as const) : (['reset'] as const);

  it.each(ways)('by a %s is answered with 502, and no byte of it was sent', async (way) => {
    for (let offset = 1; offset < whole.length; offset++) {
      stage.host.options.answer = (_request, socket) => {
        socket.write(whole.slice(0, offset), () =>
          setImmediate(() => (way === 'FIN' ? socket.end() : socket.resetAndDestroy())),
        );
        return null;
      };
      const index = stage.host.requests.length;
      const answer = await stage.send(post({ target: '/ensured' }));
      expect(statusOf(answer)).toBe(502);
      // The request id counts connections, so that it may contain these digits too.
      const id = answer.field('x-request-id') ?? '';
      expect(answer.raw.toString().replaceAll(id, '')).not.toContain('01');
      expect(stage.host.requests.length).toBe(index + 1);
      const record = await messageOf(stage.gateway, answer);
      expect(record).toMatchObject({ outcome: 'failed', status: 502, response_bytes: 0 });
      // A reset may overtake bytes that were written before it.
      if (way === 'FIN') expect(record.reason).toBe(offset < headEnd ? 'closed_early' : 'answer_cut');
      else expect(['closed_early', 'answer_cut']).toContain(record.reason);
    }
  });
});

it('answers 502 when chunks are malformed and no byte of the response was sent', async () => {
  stage.host.options.answer = (_request, socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n', () =>
      setImmediate(() => socket.write('1;\r\n')),
    );
    return null;
  };
  const answer = await stage.send(post({ target: '/ensured' }));
  expect(statusOf(answer)).toBe(502);
  expect(await messageOf(stage.gateway, answer)).toMatchObject({ outcome: 'failed', reason: 'host_framing' });
});

it('cuts the response when its chunks become malformed after it began', async () => {
  stage.host.options.answer = (_request, socket) => {
    socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n');
    return null;
  };
  const index = stage.host.requests.length;
  await using client = await stage.connect();
  const begun = once(client.socket, 'data');
  client.write(post());
  await begun;
  for (const socket of stage.host.sockets) socket.write('1;\r\n');
  expect(await answerOrCut(client)).toBeNull();
  const cut = { outcome: 'cut', reason: 'host_framing', response_bytes: 1 };
  expect(await messageOf(stage.gateway, await stage.host.request(index))).toMatchObject(cut);
});

it('cuts a response that has begun when the deadline passes', async () => {
  stage.host.options.answer = () => 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf';
  const index = stage.host.requests.length;
  await using client = await stage.connect();
  client.write(post({ target: '/quick' }));
  expect(await answerOrCut(client)).toBeNull();
  const record = await messageOf(stage.gateway, await stage.host.request(index));
  expect(record).toMatchObject({ outcome: 'cut', reason: 'deadline', status: 200, response_bytes: 4 });
});
