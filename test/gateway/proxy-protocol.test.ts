/** `listen.proxyProtocol`: a PROXY header is required from a trusted network, and rejected from any other. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureReasons } from '../../src/handshake/failure-reasons.ts';
import { statusOf } from '../support/http/http.ts';
import { type Client, post } from '../support/process/client.ts';
import { expectOneRecordEach, handshakeFrom, handshakeOf } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const named = '203.0.113.7';
const other = '198.51.100.9';
const match = { organizationalUnit: 'Example organisation' };

const v1 = (source: string) => Buffer.from(`PROXY TCP4 ${source} 192.0.2.1 40001 8443\r\n`, 'latin1');
const signature = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

/** Version and command, family and protocol, then addresses and TLVs. */
function v2(command: number, family: number, body: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(body.length);
  return Buffer.concat([signature, Buffer.of(command, family), length, body]);
}

const ports = Buffer.of(40001 >> 8, 40001 & 255, 8443 >> 8, 8443 & 255);
/** PP2_TYPE_NOOP with three bytes. */
const tlv = Buffer.of(4, 0, 3, 1, 2, 3);
const v2Ipv4 = (source: string) =>
  v2(
    0x21,
    0x11,
    Buffer.concat([Buffer.from(source.split('.').map(Number)), Buffer.of(192, 0, 2, 1), ports, tlv]),
  );
const v2Ipv6 = v2(
  0x21,
  0x21,
  Buffer.concat([Buffer.from('20010db8000000000000000000000009', 'hex'), Buffer.alloc(16, 1), ports]),
);
const local = v2(0x20, 0x00, Buffer.alloc(0));

let stage: Stage;
beforeAll(async () => {
  stage = await openStage({
    config: {
      listen: { proxyProtocol: { trusted: ['127.0.0.0/8'] } },
      clients: { allowlist: [`${named}/32`, '2001:db8::/48'], match },
      timeouts: { handshake: '5s' },
    },
  });
});
afterAll(() => stage[Symbol.asyncDispose]());

async function tcp(port = stage.gateway.port): Promise<Socket> {
  const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true });
  await once(socket, 'connect');
  return socket.on('error', () => {});
}

/** A client behind a load balancer that first sends `header`, one write for each part. */
async function connectBehind(...header: Buffer[]): Promise<{ client: Client; balancer: Socket }> {
  const balancer = await tcp();
  for (const bytes of header) await new Promise((sent) => balancer.write(bytes, sent));
  return { client: await stage.connect({ socket: balancer }), balancer };
}

/** Writes the header and the ClientHello after it in one write. */
function prefixed(socket: Socket, header: Buffer): Duplex {
  let first = true;
  const duplex = new Duplex({
    read: () => {},
    write(bytes, _encoding, done) {
      socket.write(first ? Buffer.concat([header, bytes]) : bytes, done);
      first = false;
    },
    final: (done) => void socket.end(done),
  });
  socket.on('data', (bytes) => duplex.push(bytes)).on('end', () => duplex.push(null));
  return duplex;
}

describe('from a trusted network', () => {
  it.each([
    ['v1', [v1(named)], named],
    ['v2 with TLVs', [v2Ipv4(named)], named],
    ['v2 over IPv6', [v2Ipv6], '2001:db8::9'],
    ['v1 in single bytes', [...v1(named)].map((byte) => Buffer.of(byte)), named],
    ['v2 split in its addresses', [v2Ipv4(named).subarray(0, 18), v2Ipv4(named).subarray(18)], named],
  ])('takes the source address from %s', async (_what, header, address) => {
    const { client, balancer } = await connectBehind(...header);
    await using _ = client;
    const before = stage.host.requests.length;
    expect(statusOf(await client.exchange(post()))).toBe(200);
    const request = await stage.host.request(before);
    expect(request.field('x-forwarded-for')).toBe(address);
    expect(await handshakeOf(stage.gateway, request)).toMatchObject({
      verdict: 'allow',
      source_address: address,
      source_port: 40001,
      proxy_address: '127.0.0.1',
    });
    balancer.destroy();
  });

  it('accepts a header in one segment with the ClientHello', async () => {
    const balancer = await tcp();
    await using client = await stage.connect({ socket: prefixed(balancer, v1(named)) });
    expect(statusOf(await client.exchange(post()))).toBe(200);
    balancer.destroy();
  });

  it('closes a connection whose stated address is not on the allowlist', async () => {
    await expect(connectBehind(v1(other))).rejects.toThrow();
    const record = await stage.gateway.audit(({ source_address }) => source_address === other);
    expect(record).toMatchObject({ verdict: 'deny', reason: 'address_refused', proxy_address: '127.0.0.1' });
  });

  it.each([
    ['LOCAL', local],
    ['UNKNOWN', Buffer.from(`PROXY UNKNOWN ${named} ${named} 1 2\r\n`)],
    ['LOCAL with an address that is on the allowlist', v2(0x20, 0x11, v2Ipv4(named).subarray(16))],
  ])('checks the address of the load balancer against the allowlist for %s', async (_what, header) => {
    const balancer = await tcp();
    const closed = once(balancer, 'close');
    balancer.write(header);
    const record = await handshakeFrom(stage.gateway, balancer);
    expect(record).toMatchObject({
      verdict: 'deny',
      reason: 'address_refused',
      source_address: '127.0.0.1',
      proxy_address: null,
    });
    await closed;
  });

  it.concurrent.each([
    ['no header but a ClientHello', Buffer.of(22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3)],
    ['no header but HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
    ['a malformed header', Buffer.from('PROXY TCP4 010.0.0.1 192.0.2.1 1 2\r\n')],
    ['an oversized header', Buffer.from(`PROXY UNKNOWN ${'a'.repeat(100)}\r\n`)],
    ['an oversized v2 header', Buffer.concat([signature, Buffer.of(0x21, 0x11, 0xff, 0xff)])],
    ['a header that stops in the middle', v1(named).subarray(0, 20)],
    ['no byte at all', Buffer.alloc(0)],
  ])('closes a connection that sends %s', async (_what, bytes) => {
    const balancer = await tcp();
    const closed = once(balancer, 'close');
    balancer.resume().write(bytes);
    const record = await handshakeFrom(stage.gateway, balancer);
    expect(record).toMatchObject({
      verdict: 'failed',
      reason: 'proxy_header',
      detail: expect.stringContaining(failureReasons.proxy_header.advice),
      source_address: '127.0.0.1',
      proxy_address: null,
      tls_version: null,
      openssl_code: null,
    });
    await closed;
  });

  it('records a load balancer that closes before its header is complete', async () => {
    const balancer = await tcp();
    balancer.write(v1(named).subarray(0, 10));
    balancer.end();
    const record = await handshakeFrom(stage.gateway, balancer);
    expect(record).toMatchObject({ verdict: 'failed', reason: 'proxy_header' });
  });

  it('records a TCP health check of a load balancer, with a header and without', async () => {
    for (const [bytes, sourceAddress] of [
      [Buffer.alloc(0), '127.0.0.1'],
      [v1(named), named],
    ] as const) {
      const record = stage.gateway.next(({ reason }) => reason === 'closed_silent');
      const balancer = await tcp();
      balancer.end(bytes);
      expect(await record).toMatchObject({ verdict: 'failed', source_address: sourceAddress });
    }
  });

  // Each connection of these tests has one handshake record.
  afterAll(async () => {
    await expectOneRecordEach(stage.gateway, 20);
  });
});

it('rejects a header from an untrusted network, and accepts a connection without one', async () => {
  const config = { listen: { proxyProtocol: { trusted: ['192.0.2.0/24'] } } };
  await using direct = await openStage({ config });
  const socket = await tcp(direct.gateway.port);
  const closed = once(socket, 'close');
  socket.resume().write(v1(named));
  const record = await handshakeFrom(direct.gateway, socket);
  expect(record).toMatchObject({
    verdict: 'failed',
    reason: 'unexpected_proxy_header',
    source_address: '127.0.0.1',
  });
  await closed;
  expect(statusOf(await direct.send(post()))).toBe(200);
  expect(direct.host.requests[0]?.field('x-forwarded-for')).toBe('127.0.0.1');
});
