/** One export over the network: the request, the verification of the server, and the handling of responses. */
import { createServer } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Collector, type CollectorResult } from '../../src/tracing/collector.ts';
import { exportRequest, requestStart } from '../../src/tracing/otlp-json.ts';
import { authority } from '../support/pki/authority.ts';
import { openCollector } from '../support/process/collector.ts';
import { type Listening, listenOnLoopback } from '../support/process/listening.ts';
import { openProxy } from '../support/process/proxy.ts';

const body = exportRequest(
  requestStart({ serviceName: 'ehi', version: '1', instanceId: 'i', host: 'höst' }),
  [],
);
const opened: Collector[] = [];

afterEach(() => {
  for (const collector of opened.splice(0)) collector.close();
});

function post(
  endpoint: string,
  options: Partial<ConstructorParameters<typeof Collector>[0]> = {},
  abort = new AbortController().signal,
): Promise<CollectorResult> {
  const collector = new Collector({ endpoint, headers: [], ca: null, ...options });
  opened.push(collector);
  return collector.post(body, abort);
}

/** Sends these bytes on each connection once it has received something. */
async function openLiar(
  answer: string,
  { more = '', end = false } = {},
): Promise<Listening & { url: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(answer);
      const flood = () => {
        while (more !== '' && socket.writable && socket.write(more));
      };
      socket.on('drain', flood);
      flood();
      if (end) socket.end();
    });
  });
  const listening = await listenOnLoopback(server);
  return { ...listening, url: `http://127.0.0.1:${listening.port}/v1/traces` };
}

describe('an export', () => {
  it('is a POST of JSON with its length and the configured fields', async () => {
    await using collector = await openCollector();
    const headers = [['authorization', 'Bearer x']] as const;
    expect(await post(`${collector.url}?tenant=a`, { headers })).toEqual({ kind: 'accepted', rejected: 0 });
    const [received] = collector.exports;
    expect(received?.path).toBe('/v1/traces?tenant=a');
    expect(received?.body).toBe(body);
    expect(received?.headers).toMatchObject({
      'content-type': 'application/json',
      'content-length': `${Buffer.byteLength(body)}`,
      authorization: 'Bearer x',
    });
  });

  it('reuses its connection, and closes it with the collector', async () => {
    await using collector = await openCollector();
    const exporter = new Collector({ endpoint: collector.url, headers: [], ca: null });
    const { signal } = new AbortController();
    await exporter.post(body, signal);
    const [socket] = collector.sockets;
    await exporter.post(body, signal);
    expect([...collector.sockets]).toEqual([socket]);
    const closed = new Promise((resolve) => socket?.once('close', resolve));
    exporter.close();
    await closed;
  });

  it('is sent over TLS only to a server that the CA verifies', async () => {
    const pki = authority();
    const server = pki.issueServer();
    await using collector = await openCollector({ tls: { cert: server.chainPem, key: server.keyPem } });
    expect(await post(collector.url, { ca: [pki.root.pem] })).toEqual({ kind: 'accepted', rejected: 0 });
    for (const ca of [[authority().root.pem], null]) {
      expect(await post(collector.url, { ca })).toMatchObject({ kind: 'no_response' });
    }
    expect(collector.exports).toHaveLength(1);
  });
});

describe('a response', () => {
  it.each([
    [200, { kind: 'accepted', rejected: 0 }],
    [202, { kind: 'accepted', rejected: 0 }],
    [503, { kind: 'retryable', status: 503, retryAfter: '9' }],
    [500, { kind: 'refused', status: 500 }],
    [307, { kind: 'refused', status: 307 }],
  ])('with status %d has its result', async (code, answer) => {
    await using collector = await openCollector();
    collector.answer = (_request, response) =>
      response.writeHead(code, { 'retry-after': '9', location: '/elsewhere' }).end();
    expect(await post(collector.url)).toEqual(answer);
    expect(collector.exports).toHaveLength(1);
  });

  it('with an endless body is not read to its end', async () => {
    await using liar = await openLiar('HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n', {
      more: 'x'.repeat(16_384),
    });
    expect(await post(liar.url)).toEqual({ kind: 'accepted', rejected: 0 });
  });

  it('that is truncated counts by its status', async () => {
    await using liar = await openLiar('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"partial', {
      end: true,
    });
    expect(await post(liar.url)).toEqual({ kind: 'accepted', rejected: 0 });
  });

  it('that is not HTTP counts as none', async () => {
    await using liar = await openLiar('220 mail ready\r\n');
    expect(await post(liar.url)).toMatchObject({
      kind: 'no_response',
      cause: expect.stringMatching(/^HPE_/),
    });
  });

  it('that switches protocols counts as none', async () => {
    const answer = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n';
    await using server = await openLiar(answer);
    expect(await post(server.url)).toEqual({ kind: 'no_response', cause: 'upgrade' });
  });

  it('is awaited no longer than the timeout, before its head and after it', async () => {
    await using silent = await openLiar('');
    expect(await post(silent.url, { timeout: 50 })).toEqual({ kind: 'no_response', cause: 'timeout' });
    await using slow = await openLiar('HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{');
    expect(await post(slow.url, { timeout: 2000 })).toEqual({ kind: 'accepted', rejected: 0 });
  });

  it('is not awaited once the post is aborted', async () => {
    await using silent = await openLiar('');
    const end = new AbortController();
    const answer = post(silent.url, {}, end.signal);
    end.abort();
    expect(await answer).toMatchObject({ kind: 'no_response' });
  });

  it('is missing if the connection is refused', async () => {
    const gone = await openLiar('');
    await gone.close();
    expect(await post(gone.url)).toEqual({ kind: 'no_response', cause: 'ECONNREFUSED' });
  });
});

describe('a collector behind a proxy', () => {
  afterEach(() => vi.unstubAllEnvs());
  const pki = authority();
  const server = pki.issueServer({ sans: ['DNS:collector.invalid'] });
  const tls = { cert: server.chainPem, key: server.keyPem };

  it.each([
    ['http', 'POST http://collector.invalid/v1/traces?tenant=a'],
    ['https', 'CONNECT collector.invalid:443'],
  ])('is reached over %s, with one connection for all batches', async (scheme, asked) => {
    await using collector = await openCollector(scheme === 'https' ? { tls } : {});
    await using proxy = await openProxy({ 'collector.invalid': Number(new URL(collector.url).port) });
    for (const name of ['HTTP_PROXY', 'HTTPS_PROXY']) vi.stubEnv(name, proxy.url);
    const endpoint = `${scheme}://collector.invalid/v1/traces?tenant=a`;
    const sender = new Collector({ endpoint, headers: [['authorization', 'Bearer x']], ca: [pki.root.pem] });
    opened.push(sender);
    for (let count = 0; count < 2; count++)
      expect(await sender.post(body, new AbortController().signal)).toEqual({
        kind: 'accepted',
        rejected: 0,
      });
    expect(proxy.sockets.size).toBe(1);
    expect(proxy.requests).toEqual(scheme === 'https' ? [asked] : [asked, asked]);
    expect(collector.exports.map(({ headers }) => headers)).toMatchObject([
      { authorization: 'Bearer x', host: 'collector.invalid' },
      { authorization: 'Bearer x', host: 'collector.invalid' },
    ]);
    expect(collector.exports[0]?.headers).not.toHaveProperty('proxy-authorization');
  });

  it('has no response within the timeout while the proxy has none, and the cause names the proxy', async () => {
    await using silent = await listenOnLoopback(createServer((socket) => socket.on('error', () => {})));
    const name = `http://127.0.0.1:${silent.port}`;
    vi.stubEnv('HTTPS_PROXY', `http://user:pw@127.0.0.1:${silent.port}`);
    const sender = new Collector({
      ...{ endpoint: 'https://collector.invalid/v1/traces', headers: [], ca: null, timeout: 200 },
    });
    opened.push(sender);
    const cause = `timeout through the proxy ${name}`;
    for (let count = 0; count < 3; count++)
      expect(await sender.post(body, new AbortController().signal)).toEqual({ kind: 'no_response', cause });
    vi.stubEnv('HTTPS_PROXY', '');
    await using liar = await openLiar('HTTP/1.1 502 no\r\n\r\n');
    vi.stubEnv('HTTPS_PROXY', new URL(liar.url).origin);
    expect(await post('https://collector.invalid/v1/traces')).toEqual({
      kind: 'no_response',
      cause: `PROXY_TUNNEL through the proxy ${new URL(liar.url).origin}`,
    });
  });
});
