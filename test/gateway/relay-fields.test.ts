/** Header fields that the host receives: the client's own, and the gateway's about the client; forged ones are removed. */
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Message, statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { acknowledgement } from '../support/process/host.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await openStage();
});

afterAll(() => stage[Symbol.asyncDispose]());

/** Sends a request; returns what the host received and the client's response. */
async function relay(request: string | Buffer): Promise<{ received: Message; answer: Message }> {
  const index = stage.host.requests.length;
  const answer = await stage.send(request);
  const received = await stage.host.request(index);
  // With the first message on a connection to the host the gateway asks to keep it: upstream-idle.test.ts.
  const fields = received.fields.filter(([name, value]) => name !== 'Connection' || value !== 'keep-alive');
  return { received: { ...received, fields }, answer };
}

/** The fields that the gateway sets, as the host must receive them. */
function identity(received: Message): [string, string][] {
  const requestId = received.field('x-request-id') ?? '';
  expect(requestId).toMatch(/^[0-9a-f]{10}-[0-9a-f]+\.1$/);
  return [
    ['Client-Cert', `:${stage.leaf.der.toString('base64')}:`],
    ['X-Forwarded-For', '127.0.0.1'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Request-Id', requestId],
    ['traceparent', expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)],
  ];
}

it('relays the target, the host and every field unchanged, and adds the identity of the client', async () => {
  const { received } = await relay(
    'POST /a/b;c=1?q=%41&r=/?x HTTP/1.1\r\n' +
      'sOaPaCtIoN:"urn:x"\r\nhost: EHI.example:8443\r\nX-Twice: 1\r\nContent-Type: application/xml\r\n' +
      'X-Twice:   2, 3 \t\r\nX-Empty:\r\nX-Obs: caf\xe9\r\ntraceparent: 00-ab-cd-01\r\n' +
      'Authorization: Bearer a:b\r\nCookie: a=b; c=d\r\nContent-Length: 2\r\n\r\nok',
  );
  expect(received.startLine).toBe('POST /a/b;c=1?q=%41&r=/?x HTTP/1.1');
  expect(received.fields).toEqual([
    ['Host', 'EHI.example:8443'],
    ['sOaPaCtIoN', '"urn:x"'],
    ['X-Twice', '1'],
    ['Content-Type', 'application/xml'],
    ['X-Twice', '2, 3'],
    ['X-Empty', ''],
    // The client wrote UTF-8: two bytes, which the test decodes as latin1.
    ['X-Obs', 'caf\xc3\xa9'],
    ['Authorization', 'Bearer a:b'],
    ['Cookie', 'a=b; c=d'],
    ...identity(received),
    ['Content-Length', '2'],
  ]);
});

it('sends the leaf that the client presented', async () => {
  const { received } = await relay(post());
  const field = received.field('client-cert') ?? '';
  const { raw } = new X509Certificate(stage.leaf.pem);
  expect(Buffer.from(field.slice(1, -1), 'base64').equals(raw)).toBe(true);
});

it('removes hop-by-hop fields, and the fields that Connection names', async () => {
  const { received } = await relay(
    post({
      fields: [
        'Connection: X-Hop , keep-alive',
        'connection:,x-OTHER',
        'X-Hop: 1',
        'x-other: 1',
        'X-Other: 2',
        'Keep-Alive: timeout=5',
        'Proxy-Connection: keep-alive',
        'Proxy-Authorization: Basic eA==',
        'Proxy-Authenticate: Basic',
        'TE: trailers',
        'Trailer: X-Trailer',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABkAAQAAP__',
        'X-Stays: 1',
      ],
    }),
  );
  expect(received.fields).toEqual([
    ['Host', 'ehi.example'],
    ['Content-Type', 'application/json'],
    ['X-Stays', '1'],
    ...identity(received),
    ['Content-Length', '7'],
  ]);
});

it('removes every spelling of fields that could look like the client identity, and then sets its own', async () => {
  const forged = [
    'Forwarded',
    'Client-Cert',
    'Client-Cert-Chain',
    'X-Real-IP',
    'X-Request-ID',
    'True-Client-IP',
    'X-ARR-ClientCert',
    'X-Forwarded-For',
    'X-Forwarded-Proto',
    'X-Forwarded-Client-Cert',
    'X-Forwarded-Anything',
    'X-Client-Cert',
    'X-Client-Certificate',
    'X-SSL-Client-Verify',
    'X-SSL-Cert',
    'SSL-Client-Verify',
    'SSL-Client-Cert',
    'X-Amzn-Mtls-Clientcert',
    'X-Amzn-Mtls-Clientcert-Leaf',
  ];
  const spellings = forged.flatMap((name) => [
    name,
    name.toLowerCase(),
    name.toUpperCase(),
    name.replaceAll('-', '_'),
    name.replace('-', '_'),
  ]);
  const fields = spellings.map((name) => `${name}: forged`);
  for (let at = 0; at < fields.length; at += 50) {
    const { received } = await relay(post({ fields: [...fields.slice(at, at + 50), 'Any_Thing: forged'] }));
    expect(received.fields).toEqual([
      ['Host', 'ehi.example'],
      ['Content-Type', 'application/json'],
      ...identity(received),
      ['Content-Length', '7'],
    ]);
  }
});

it('drops trailers and the Trailer field', async () => {
  const { received } = await relay(
    'POST / HTTP/1.1\r\nHost: a\r\nTrailer: X-T\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nok\r\n0\r\nX-T: 1\r\nClient-Cert: forged\r\n\r\n',
  );
  expect(received.raw.toString('latin1')).toMatch(/\r\n\r\n2\r\nok\r\n0\r\n\r\n$/);
  expect(received.fields.slice(-1)).toEqual([['Transfer-Encoding', 'chunked']]);
});

it('adds the authority of the upstream as Host to an HTTP/1.0 request without it, and relays it as HTTP/1.1', async () => {
  const { received } = await relay('POST /old HTTP/1.0\r\nContent-Length: 2\r\n\r\nok');
  expect(received.startLine).toBe('POST /old HTTP/1.1');
  expect(received.field('host')).toBe(`127.0.0.1:${stage.host.port}`);
  const named = await relay('GET / HTTP/1.0\r\nHost: ehi.example\r\n\r\n');
  expect(named.received.field('host')).toBe('ehi.example');
});

it('removes hop-by-hop fields from the response, and relays all others unchanged', async () => {
  stage.host.options.answer = () =>
    'HTTP/1.1 201 Made for you\r\nServer: x\r\nConnection: X-Hop\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n' +
    'Set-Cookie: a=b\r\nset-cookie: c=d\r\nUpgrade: h2c\r\nTrailer: X\r\nProxy-Authenticate: Basic\r\n' +
    'X-Under_score: 1\r\nX-Obs:  caf\xe9 \r\nContent-Length: 2\r\n\r\nok';
  const { answer } = await relay(post());
  stage.host.options.answer = () => acknowledgement;
  expect(answer.startLine).toBe('HTTP/1.1 201 Made for you');
  expect(answer.fields).toEqual([
    ['Server', 'x'],
    ['Set-Cookie', 'a=b'],
    ['set-cookie', 'c=d'],
    ['X-Under_score', '1'],
    ['X-Obs', 'caf\xc3\xa9'],
    ['Content-Length', '2'],
  ]);
});

it('answers Expect: 100-continue itself, and does not relay the field', async () => {
  await using client = await stage.connect();
  const index = stage.host.requests.length;
  for (const expectation of ['100-continue', '100-Continue']) {
    client.write(`POST / HTTP/1.1\r\nHost: a\r\nExpect: ${expectation}\r\nContent-Length: 2\r\n\r\n`);
    expect((await client.response()).raw.toString()).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    expect(statusOf(await client.exchange('ok'))).toBe(200);
  }
  client.write('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n');
  expect(statusOf(await client.response())).toBe(100);
  expect(statusOf(await client.exchange('2\r\nok\r\n0\r\n\r\n'))).toBe(200);
  for (let each = 0; each < 3; each++) {
    const received = await stage.host.request(index + each);
    expect(received.body.toString()).toBe('ok');
    expect(received.field('expect')).toBeUndefined();
  }
});

it.each([
  ['body bytes arrive with the head', 'HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n', 'o', 'k'],
  ['the request has no body', 'HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n', '', ''],
  ['the client uses HTTP/1.0', 'HTTP/1.0\r\nContent-Length: 2\r\n', '', 'ok'],
])('does not answer 100 when %s', async (_when, head, first, second) => {
  await using client = await stage.connect();
  const answer = await client
    .write(`POST / ${head}Expect: 100-continue\r\n\r\n${first}`)
    .write(second)
    .response();
  expect(statusOf(answer)).toBe(200);
});
