import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, connect as tlsConnect } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { issueCertificate } from '../../src/issuing/certificate.ts';
import { type ProxyReading, readProxyHeader } from '../../src/source/proxy-reader.ts';

const header = Buffer.from('PROXY TCP4 203.0.113.7 198.51.100.1 55460 8443\r\n', 'latin1');
const source = { address: '203.0.113.7', port: 55460 };
const minute = 60_000;
const certificate = issueCertificate({
  subject: { CN: 'gateway.example' },
  notBefore: Date.now() - minute,
  notAfter: Date.now() + 60 * minute,
});

const open: { close(): void }[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.close();
});

describe('the PROXY header of a socket', () => {
  it.each([
    ['in one segment with the ClientHello', (hello: Buffer) => [Buffer.concat([header, hello])]],
    ['in a segment before the ClientHello', (hello: Buffer) => [header, hello]],
    ['byte by byte', (hello: Buffer) => [...[...header].map((byte) => Buffer.of(byte)), hello]],
    [
      'with half of the ClientHello',
      (hello: Buffer) => [Buffer.concat([header, hello.subarray(0, 60)]), hello.subarray(60)],
    ],
    [
      'cut, the rest with the ClientHello',
      (hello: Buffer) => [header.subarray(0, 9), Buffer.concat([header.subarray(9), hello])],
    ],
  ])('is read from %s, and the TLS server gets all other bytes', async (_title, segments) => {
    const tls = createTlsServer({ cert: certificate.pem, key: certificate.keyPem }, (socket) =>
      socket.pipe(socket),
    );
    const readings: ProxyReading[] = [];
    const { port } = await listen(async (socket) => {
      readings.push(await readProxyHeader(socket, { timeout: minute }));
      tls.emit('connection', socket);
    });

    // A relay on the client's side splits the stream: it sends a segment once the one before was read.
    const relay = createServer(async (client) => {
      const [hello] = (await once(client, 'data')) as [Buffer];
      client.pause();
      const server = connect(port, '127.0.0.1').setNoDelay(true);
      await once(server, 'connect');
      for (const segment of segments(hello)) await writeApart(server, segment);
      server.pipe(client).pipe(server);
    });
    const relayPort = await listenOn(relay);
    const client = tlsConnect({
      port: relayPort,
      host: '127.0.0.1',
      ca: certificate.pem,
      servername: 'gateway.example',
      checkServerIdentity: () => undefined,
    });
    client.write('hello over TLS');
    const [echo] = (await once(client, 'data')) as [Buffer];
    client.destroy();

    expect(echo.toString()).toBe('hello over TLS');
    expect(readings).toEqual([{ kind: 'header', source, length: header.length }]);
  });

  it('has no source if the socket’s peer is the client', async () => {
    const { client, reading } = await connected({ timeout: minute });
    client.write('PROXY UNKNOWN\r\n');
    expect(await reading).toEqual({ kind: 'header', source: null, length: 15 });
  });

  it('fails as invalid on the first wrong byte', async () => {
    const { client, reading } = await connected({ timeout: minute });
    client.write('\x16');
    expect(await reading).toMatchObject({ kind: 'failed', why: 'invalid' });
  });

  it('fails as closed when the client ends within the header', async () => {
    const { client, reading } = await connected({ timeout: minute });
    client.end('PROXY TCP4 ');
    expect(await reading).toMatchObject({ kind: 'failed', why: 'closed' });
  });

  it('fails as closed when the client ends its half of a connection that may stay half open', async () => {
    const { client, reading } = await connected({ timeout: minute, allowHalfOpen: true });
    client.end('PROXY TCP4 ');
    expect(await reading).toMatchObject({ kind: 'failed', why: 'closed' });
  });

  it('fails as closed when the client resets the connection', async () => {
    const { client, reading } = await connected({ timeout: minute });
    client.resetAndDestroy();
    expect(await reading).toMatchObject({ kind: 'failed', why: 'closed' });
  });

  it('fails as timeout, even if bytes keep arriving', async () => {
    const { client, reading } = await connected({ timeout: 50 });
    client.write('PROXY TCP4 ');
    expect(await reading).toMatchObject({ kind: 'failed', why: 'timeout' });
  });

  it('removes its listeners, except the error listener of a failed socket', async () => {
    const good = await connected({ timeout: minute });
    const fresh = good.listeners;
    good.client.write(header);
    await good.reading;
    expect(listeners(good.socket)).toEqual(fresh);

    const bad = await connected({ timeout: minute });
    bad.client.write('nonsense');
    await bad.reading;
    expect(listeners(bad.socket)).toEqual({ ...fresh, error: 1 });
  });
});

const names = ['readable', 'data', 'end', 'close', 'error'] as const;

function listeners(socket: Socket): Record<string, number> {
  return Object.fromEntries(names.map((name) => [name, socket.listenerCount(name)]));
}

/** One connection whose server side reads the header. */
async function connected(options: { timeout: number; allowHalfOpen?: boolean }) {
  const accepted = Promise.withResolvers<{
    socket: Socket;
    listeners: Record<string, number>;
    reading: Promise<ProxyReading>;
  }>();
  const { port } = await listen((socket) => {
    const before = listeners(socket);
    accepted.resolve({ socket, listeners: before, reading: readProxyHeader(socket, options) });
  }, options.allowHalfOpen);
  const client = connect(port, '127.0.0.1');
  client.on('error', () => {});
  open.push({ close: () => client.destroy() });
  return { client, ...(await accepted.promise) };
}

/** A server that hands over its sockets unread, and destroys them when the test ends. */
async function listen(onSocket: (socket: Socket) => void, allowHalfOpen = false): Promise<{ port: number }> {
  const server = createServer({ pauseOnConnect: true, allowHalfOpen }, onSocket);
  return { port: await listenOn(server) };
}

async function listenOn(server: Server): Promise<number> {
  server.on('connection', (socket) => open.push({ close: () => socket.destroy() }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  open.push(server);
  return (server.address() as AddressInfo).port;
}

/** The kernel merges segments that were not read yet: some event-loop iterations give the reader time to read. */
async function writeApart(socket: Socket, bytes: Buffer): Promise<void> {
  await new Promise((resolve) => socket.write(bytes, resolve));
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
