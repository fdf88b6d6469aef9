/** `proxyProtocol: v2` of an endpoint: each connection to the host names its client, and is used only for that client. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type Message, statusOf } from '../support/http/http.ts';
import { authority } from '../support/pki/authority.ts';
import { type Client, post } from '../support/process/client.ts';
import { type Host, type HostPlace, openHost } from '../support/process/host.ts';
import { metricsWhen } from '../support/process/metrics.ts';
import { openProxied, type Proxied } from '../support/process/proxied.ts';
import { handshakeOf, messageOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const pki = authority({ name: 'Host' });
const server = pki.issueServer();
const while60s = { idleTimeout: '60s' };

/** One gateway for all tests; each leads it to a host of its own. */
let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ files: { 'host-ca.pem': pki.root.pem } });
});
afterAll(() => stage[Symbol.asyncDispose]());

let open: AsyncDisposableStack;
let host: Host;
let forwarder: Proxied;

beforeEach(() => {
  open = new AsyncDisposableStack();
});
afterEach(() => open.disposeAsync());

async function leadTo(
  endpoint: object = {},
  options: { place?: HostPlace; config?: Record<string, unknown>; behind?: boolean } = {},
): Promise<void> {
  host = open.use(await openHost({}, options.place));
  forwarder = open.use(await openProxied(host));
  const proxied = { url: urlOf(options.place), proxyProtocol: 'v2', pool: while60s, ...endpoint };
  const dead = 'http://127.0.0.1:1';
  await stage.leadTo(options.behind ? [dead, proxied] : proxied, { config: options.config ?? {} });
}

function urlOf({ tls }: HostPlace = {}): string {
  return `http${tls === undefined ? '' : 's'}://127.0.0.1:${forwarder.port}`;
}

/** Sends one message and returns what the host received. */
async function relay(client: Client): Promise<Message> {
  const index = host.requests.length;
  expect(statusOf(await client.exchange(post()))).toBe(200);
  return host.request(index);
}

async function connIdOf(received: Message): Promise<unknown> {
  return (await handshakeOf(stage.gateway, received)).conn_id;
}

const kinds = [
  ['without TLS', undefined],
  ['before the handshake of TLS', { cert: server.chainPem, key: server.keyPem }],
] as const;

it.each(kinds)(
  'sends the client address, the destination address and the connection id, %s',
  async (_which, tls) => {
    await leadTo(tls ? { tls: { ca: 'host-ca.pem' } } : {}, tls ? { place: { tls } } : {});
    await using client = await stage.connect();
    const received = await relay(client);
    expect(forwarder.headers).toEqual([
      {
        command: 'PROXY',
        source: `127.0.0.1:${client.socket.localPort}`,
        destination: `127.0.0.1:${stage.gateway.port}`,
        uniqueId: await connIdOf(received),
      },
    ]);
    expect(await messageOf(stage.gateway, received)).toMatchObject({ outcome: 'answered', status: 200 });
  },
);

it('reuses a connection only for the client that it names', async () => {
  await leadTo();
  await using first = await stage.connect();
  await using second = await stage.connect();
  for (let round = 0; round < 5; round++) {
    const [one, other] = [await relay(first), await relay(second)];
    expect(await connIdOf(one)).toBe(forwarder.headers[0]?.uniqueId);
    expect(await connIdOf(other)).toBe(forwarder.headers[1]?.uniqueId);
  }
  expect(forwarder.headers.map(({ source }) => source)).toEqual(
    [first, second].map(({ socket }) => `127.0.0.1:${socket.localPort}`),
  );
  // Each connection to the host carried messages of one client only.
  expect(host.connectionCount).toBe(2);
  for (const index of [0, 1]) {
    const ids =
      host
        .received(index)
        .toString('latin1')
        .match(/X-Request-Id: [^.]+/g) ?? [];
    expect([ids.length, new Set(ids).size]).toEqual([5, 1]);
  }
});

it.each(kinds)(
  'closes the connection to the host when its client closes, and opens another for the next client, %s',
  async (_kind, tls) => {
    await leadTo(tls ? { tls: { ca: 'host-ca.pem' } } : {}, tls ? { place: { tls } } : {});
    const first = await stage.connect();
    await relay(first);
    const [waiting] = forwarder.sockets;
    const closed = once(waiting as NonNullable<typeof waiting>, 'close');
    await first[Symbol.asyncDispose]();
    await closed;
    await using next = await stage.connect();
    await relay(next);
    expect(forwarder.headers).toHaveLength(2);
    expect(forwarder.headers[1]?.uniqueId).not.toBe(forwarder.headers[0]?.uniqueId);
  },
);

it('opens a connection for each message when reuse is off', async () => {
  await leadTo({ pool: { reuse: 'off' } });
  await using client = await stage.connect();
  for (let round = 0; round < 3; round++) await relay(client);
  expect(forwarder.headers).toHaveLength(3);
  expect(new Set(forwarder.headers.map(({ uniqueId }) => uniqueId)).size).toBe(1);
});

it('sends the source address that a trusted load balancer states', async () => {
  const listen = {
    certificate: { chain: 'server.pem', key: 'server.key' },
    proxyProtocol: { trusted: ['127.0.0.0/8'] },
  };
  await leadTo({}, { config: { listen } });
  const balancer = connect({ port: stage.gateway.port, host: '127.0.0.1' });
  await once(balancer, 'connect');
  balancer.write('PROXY TCP6 2001:db8::9 2001:db8::1 40001 8443\r\n');
  await using client = await stage.connect({ socket: balancer });
  await relay(client);
  const mapped = '00000000000000000000ffff7f000001';
  expect(forwarder.headers).toMatchObject([
    {
      source: '20010db8000000000000000000000009:40001',
      destination: `${mapped}:${stage.gateway.port}`,
    },
  ]);
  balancer.destroy();
});

it('sends the header to the endpoint that connects, after another one failed', async () => {
  await leadTo({}, { behind: true });
  await using client = await stage.connect();
  await relay(client);
  expect(forwarder.headers).toMatchObject([{ source: `127.0.0.1:${client.socket.localPort}` }]);
});

it.each(['tcp', 'http', 'tls'])('sends LOCAL in health checks: %s', async (kind) => {
  const tls = kind === 'tls' ? { tls: { cert: server.chainPem, key: server.keyPem } } : {};
  const endpoint = {
    health: { kind, interval: '100ms', timeout: '20s' },
    ...('tls' in tls && { tls: { ca: 'host-ca.pem' } }),
  };
  await leadTo(endpoint, { place: tls });
  const passed = `ehi_upstream_checks_total{endpoint="${urlOf(tls)}",result="passed"}`;
  await metricsWhen(stage.gateway, (samples) => (samples.get(passed) ?? 0) >= 3);
  expect(forwarder.headers.slice(0, 3)).toEqual(
    Array(3).fill({ command: 'LOCAL', source: null, destination: null, uniqueId: null }),
  );
});

it('reports a failed connection like that of any other host', async () => {
  await leadTo(
    { tls: { ca: 'host-ca.pem' } },
    { place: { tls: { cert: server.chainPem, key: server.keyPem } } },
  );
  await forwarder.close();
  const answer = await stage.send(post());
  expect(statusOf(answer)).toBe(502);
  expect(await messageOf(stage.gateway, answer)).toMatchObject({
    outcome: 'failed',
    reason: 'connect_failed',
  });
});
