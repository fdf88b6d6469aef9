/** Connections that end before a verdict: each has one `failed` record with the address and the cause. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { sClient } from '../support/pki/openssl.ts';
import { post } from '../support/process/client.ts';
import { clientHello } from '../support/process/client-hello.ts';
import { expectOneRecordEach, handshakeFrom } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({ config: { timeouts: { handshake: '5s' } } });
});
afterAll(() => stage[Symbol.asyncDispose]());

async function tcp(): Promise<Socket> {
  const socket = connectTcp({ port: stage.gateway.port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket.on('error', () => {}).resume();
}

const unknown = {
  verdict: 'failed',
  source_address: '127.0.0.1',
  tls_version: null,
  cipher: null,
  leaf: null,
  anchor: null,
};

it.concurrent.each([
  ['plain HTTP', 'plain_http', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'ERR_SSL_HTTP_REQUEST'],
  ['an HTTP proxy’s CONNECT', 'plain_http', 'CONNECT a:443 HTTP/1.1\r\n\r\n', 'ERR_SSL_HTTPS_PROXY_REQUEST'],
  ['an SSH banner', 'other_protocol', 'SSH-2.0-OpenSSH_9.7\r\n', 'ERR_SSL_WRONG_VERSION_NUMBER'],
  ['garbage', 'not_tls', Buffer.alloc(64, 0xff), 'ERR_SSL_WRONG_VERSION_NUMBER'],
  [
    'a malformed ClientHello',
    'malformed_client_hello',
    Buffer.from('160301000401000000', 'hex'),
    expect.stringMatching(/^ERR_SSL_/),
  ],
])('closes a connection that sends %s', async (_what, reason, bytes, code) => {
  const socket = await tcp();
  const closed = once(socket, 'close');
  socket.write(bytes);
  expect(await handshakeFrom(stage.gateway, socket)).toMatchObject({
    ...unknown,
    reason,
    openssl_code: code,
  });
  await closed;
});

it('records a client that ends before its first byte, or in the middle of its ClientHello', async () => {
  const hello = await clientHello();
  for (const [reason, bytes] of [
    ['closed_silent', Buffer.alloc(0)],
    ['closed_before_certificate', hello.subarray(0, 40)],
  ] as const) {
    const socket = await tcp();
    if (bytes.length > 0) socket.write(bytes);
    socket.end();
    expect(await handshakeFrom(stage.gateway, socket)).toMatchObject({ ...unknown, reason });
  }
});

it('records a client that resets its connection, before its first byte or after the ClientHello', async () => {
  const silent = await tcp();
  const { localPort } = silent;
  // Accepted before this one, so its address is known by now.
  const busy = await tcp();
  busy.write(await clientHello());
  // The server's flight: the handshake is half complete.
  await once(busy, 'data');
  const { localPort: busyPort } = busy;
  for (const socket of [silent, busy]) socket.resetAndDestroy();
  const agreed = { tls_version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' };
  for (const [port, reason, known] of [
    [localPort, 'closed_silent', {}],
    [busyPort, 'closed_after_certificate', agreed],
  ] as const) {
    const record = await handshakeFrom(stage.gateway, { localPort: port });
    expect(record).toMatchObject({ ...unknown, ...known, reason });
  }
});

it.each([
  ['-tls1_2', 'TLSv1.2', null, '127.0.1.0'],
  ['-tls1_3', 'TLSv1.3', 'TLS_AES_128_GCM_SHA256', '127.0.1.1'],
] as const)(
  'records the alert of a client that does not trust the server certificate: %s',
  async (flag, version, cipher, address) => {
    const bind = ['-bind', `${address}:0`];
    const { stderr } = await sClient(stage.gateway, flag, ...bind, '-verify_return_error', '-verify', '3');
    expect(stderr).toContain('certificate verify failed');
    const record = await stage.gateway.audit(({ source_address }) => source_address === address);
    expect(record).toMatchObject({
      ...unknown,
      source_address: address,
      tls_version: version,
      cipher,
      reason: 'server_certificate_refused',
      openssl_code: expect.stringMatching(/ALERT_UNKNOWN_CA$/),
    });
  },
);

it.concurrent('closes a connection that sends nothing within timeouts.handshake', async () => {
  const socket = await tcp();
  const closed = once(socket, 'close');
  expect(await handshakeFrom(stage.gateway, socket)).toMatchObject({
    ...unknown,
    reason: 'timeout_silent',
    openssl_code: null,
  });
  await closed;
});

it.concurrent('applies timeouts.handshake to a ClientHello that arrives byte by byte', async () => {
  const hello = await clientHello();
  const socket = await tcp();
  // A byte that crosses the gateway's close is answered with a reset.
  socket.on('error', () => {});
  const closed = new Promise((done) => socket.once('close', done));
  let at = 0;
  const drip = setInterval(() => socket.write(hello.subarray(at, ++at)), 100);
  try {
    const record = await handshakeFrom(stage.gateway, socket);
    expect(record).toMatchObject({ ...unknown, reason: 'timeout_client_hello' });
    await closed;
  } finally {
    clearInterval(drip);
  }
});

it('serves other clients while these handshakes fail', async () => {
  expect(statusOf(await stage.send(post()))).toBe(200);
});

// Each connection of these tests has one handshake record.
afterAll(async () => {
  await expectOneRecordEach(stage.gateway, 14);
});
