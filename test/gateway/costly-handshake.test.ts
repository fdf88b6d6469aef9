/** The handshake of an unknown client is bounded in bytes and CPU: OpenSSL gets no certificate that is costly to verify. */
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect as connectTcp, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RecordProtection, suites } from '../../src/handshake/record-protection.ts';
import { statusOf } from '../support/http/http.ts';
import { costlyChain } from '../support/pki/costly-chain.ts';
import { sClient } from '../support/pki/openssl.ts';
import { post } from '../support/process/client.ts';
import { clientHello } from '../support/process/client-hello.ts';
import { listenOnLoopback } from '../support/process/listening.ts';
import { beginRawHandshake, certificateMessage } from '../support/process/raw-handshake.ts';
import { expectOneRecordEach, handshakeFrom } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const match = { organizationalUnit: 'Example organisation' };
const named = '127.0.0.9';

let stage: Stage;
/** Another one for each test: costly handshakes make their address wait, and a port of another test may be reused. */
let address: string;
let addresses = 0;
beforeEach(() => {
  address = `127.0.1.${addresses++}`;
});
beforeAll(async () => {
  const clients = { allowlist: [named], refuseAt: 'http', match };
  stage = await openStage({ config: { clients } });
});
afterAll(() => stage[Symbol.asyncDispose]());

type Options = Parameters<Stage['connect']>[0];

/** The record of a connection whose handshake fails, and the error at its client. */
async function failure(options: Options) {
  const before = stage.gateway.records().length;
  const seen = stage.connect({ localAddress: address, ...options }).then(async (client) => {
    // With TLS 1.3 the client completes the handshake first.
    await client.write(post()).rest();
    const { error } = client;
    await client[Symbol.asyncDispose]();
    return error?.message ?? 'closed';
  });
  const [record, message] = await Promise.all([
    stage.gateway.next(
      ({ type, source_address }) => type === 'handshake' && source_address === address,
      before,
    ),
    seen.catch((error: Error) => error.message),
  ]);
  return { record, message };
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('with %s', (maxVersion) => {
  it('refuses a handshake of more than limits.handshakeBytes', async () => {
    const { record } = await failure({ leaf: costlyChain({ length: 70 }), maxVersion });
    expect(record).toMatchObject({
      verdict: 'failed',
      reason: 'handshake_too_large',
      detail: expect.stringMatching(
        /^the client sent more than limits\.handshakeBytes \(16384 bytes\) during the handshake\. /,
      ),
    });
  });

  it.each([
    [{ length: 1 }, 'an RSA exponent of more than 32 bits in its certificate number 2 of 2'],
    [{ length: 1, bits: 2048, exponent: 2n ** 32n + 1n }, 'an RSA exponent of more than 32 bits'],
    [{ length: 1, bits: 8200, exponent: 3n }, 'an RSA key of more than 8192 bits'],
    [{ length: 4, bits: 2048, exponent: 3n }, '5 certificates \\(at most 4: its own and three CAs\\)'],
    [
      { length: 3, bits: 8192, exponent: 3n, padding: 700 },
      'CA certificates of \\d+ bytes together \\(at most 8192\\)',
    ],
  ])('refuses %o before OpenSSL verifies it, with an alert and a record', async (chain, what) => {
    const { record, message } = await failure({ leaf: costlyChain(chain), maxVersion });
    expect(record).toMatchObject({ verdict: 'failed', reason: 'certificates_refused' });
    expect(record.detail).toMatch(new RegExp(`^the client sent ${what}`));
    expect(message).toMatch(/unsupported certificate/);
  });

  it('passes a chain of ordinary cost to OpenSSL and the verdict', async () => {
    const leaf = costlyChain({ length: 3, bits: 4096, exponent: 65_537n });
    await using client = await stage.connect({ leaf, maxVersion, localAddress: address });
    expect(statusOf(await client.exchange(post()))).toBe(403);
    expect(await handshakeFrom(stage.gateway, client.socket)).toMatchObject({ reason: 'address_refused' });
  });

  it('passes a long chain from an address on the allowlist to OpenSSL and the verdict', async () => {
    const leaf = costlyChain({ length: 8, bits: 2048 });
    await using client = await stage.connect({ leaf, maxVersion, localAddress: named });
    expect(statusOf(await client.exchange(post()))).toBe(403);
    expect(await handshakeFrom(stage.gateway, client.socket)).toMatchObject({ reason: 'untrusted' });
  });

  it('finds costly certificates in messages that are split into small records', async () => {
    const { chainPem, keyPem } = costlyChain({ length: 3, bits: 2048 });
    const { folder, port } = stage.gateway;
    const [chain, key] = [join(folder, 'costly.pem'), join(folder, 'costly.key')];
    await writeFile(chain, chainPem);
    await writeFile(key, keyPem);
    const version = `-${maxVersion.toLowerCase().replace('v', '').replace('.', '_')}`;
    const before = stage.gateway.records().length;
    const shown = ['-cert', chain, '-cert_chain', chain, '-key', key];
    await sClient({ port }, version, '-bind', `${address}:0`, '-max_send_frag', '512', ...shown);
    expect(
      await stage.gateway.next(({ source_address }) => source_address === address, before),
    ).toMatchObject({
      reason: 'certificates_refused',
    });
  });
});

describe('with TLS 1.3', () => {
  it.each(['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384', 'TLS_CHACHA20_POLY1305_SHA256'])(
    'finds costly certificates under %s',
    async (ciphers) => {
      const { record } = await failure({ leaf: costlyChain({ length: 1 }), ciphers });
      expect(record).toMatchObject({ reason: 'certificates_refused' });
      await using client = await stage.connect({ ciphers, localAddress: address });
      expect(client.socket.getCipher().standardName).toBe(ciphers);
      expect(statusOf(await client.exchange(post()))).toBe(403);
      await handshakeFrom(stage.gateway, client.socket);
    },
  );

  it('finds costly certificates after a record of another suite, which OpenSSL skips as early data', async () => {
    const { port } = stage.gateway;
    await using client = await beginRawHandshake({ port, localAddress: address, earlyData: true });
    // Warning close_notify; the content does not matter.
    const skipped = new RecordProtection(suites.TLS_CHACHA20_POLY1305_SHA256, client.secret).seal({
      type: 21,
      bytes: Buffer.of(1, 0),
    });
    const certificates = certificateMessage(dersOf(costlyChain({ length: 1 }).chainPem));
    client.socket.write(Buffer.concat([skipped, client.seal(certificates)]));
    expect(await handshakeFrom(stage.gateway, client.socket)).toMatchObject({
      reason: 'certificates_refused',
    });
  });

  it('finds costly certificates after a HelloRetryRequest', async () => {
    const ecdhCurve = 'ffdhe4096:X25519';
    const { record } = await failure({ leaf: costlyChain({ length: 1 }), ecdhCurve });
    expect(record).toMatchObject({ reason: 'certificates_refused' });
    await using client = await stage.connect({ ecdhCurve, localAddress: address });
    expect(statusOf(await client.exchange(post()))).toBe(403);
  });
});

describe('with unencrypted records', () => {
  async function tcp(): Promise<Socket> {
    const options = { port: stage.gateway.port, host: '127.0.0.1', localAddress: address };
    const socket = connectTcp(options).on('error', () => {});
    await once(socket, 'connect');
    return socket;
  }

  const changeCipherSpec = Buffer.from('140303000101', 'hex');
  /** A Certificate message (RFC 5246 §7.4.2) in one record. */
  function certificateRecord(): Buffer {
    const ders = dersOf(costlyChain({ length: 3 }).chainPem);
    const list = Buffer.concat(ders.flatMap((der) => [uint24(der.length), der]));
    const body = Buffer.concat([uint24(list.length), list]);
    const message = Buffer.concat([Buffer.of(11), uint24(body.length), body]);
    const length = Buffer.alloc(2);
    length.writeUInt16BE(message.length);
    return Buffer.concat([Buffer.of(22, 3, 3), length, message]);
  }

  it('does not stop inspecting after a ChangeCipherSpec, which OpenSSL rejects there', async () => {
    const hello = await clientHello({ maxVersion: 'TLSv1.2' });
    const early = await tcp();
    early.resume().write(Buffer.concat([changeCipherSpec, hello, certificateRecord()]));
    expect(await handshakeFrom(stage.gateway, early)).toMatchObject({ reason: 'unexpected_message' });
    const late = await tcp();
    late.write(hello);
    // The server's flight.
    await once(late, 'data');
    late.resume().write(Buffer.concat([changeCipherSpec, certificateRecord()]));
    expect(await handshakeFrom(stage.gateway, late)).toMatchObject({ reason: 'unexpected_message' });
    const plain = await tcp();
    plain.write(hello);
    await once(plain, 'data');
    plain.resume().write(certificateRecord());
    expect(await handshakeFrom(stage.gateway, plain)).toMatchObject({ reason: 'certificates_refused' });
  });

  it('refuses a handshake in more than 64 records', async () => {
    const hello = await clientHello();
    const pieces = Array.from(hello.subarray(5), (octet) => Buffer.of(22, 3, 1, 0, 1, octet));
    const socket = await tcp();
    socket.resume().write(Buffer.concat(pieces));
    expect(await handshakeFrom(stage.gateway, socket)).toMatchObject({
      reason: 'handshake_too_large',
      detail: expect.stringContaining('more than 64 TLS records'),
    });
  });

  it('refuses a ClientHello in the format of SSL 2.0', async () => {
    const socket = await tcp();
    socket.resume().write(Buffer.from('802e01030300150000001000002f000035c02fc030c013c014', 'hex'));
    expect(await handshakeFrom(stage.gateway, socket)).toMatchObject({ reason: 'sslv2_hello' });
  });

  it('refuses a handshake without end, also from an address on the allowlist', async () => {
    const options = { port: stage.gateway.port, host: '127.0.0.1', localAddress: named };
    const socket = connectTcp(options).on('error', () => {});
    await once(socket, 'connect');
    const { localPort } = socket;
    socket.write(await clientHello({ maxVersion: 'TLSv1.2' }));
    await once(socket, 'data');
    // 96 KiB of one message that never ends.
    const begin = Buffer.concat([Buffer.of(22, 3, 3, 0x40, 0, 11), uint24(99_000), Buffer.alloc(0x4000 - 4)]);
    const more = Buffer.concat([Buffer.of(22, 3, 3, 0x40, 0), Buffer.alloc(0x4000)]);
    socket.resume().write(Buffer.concat([begin, ...Array(4).fill(more)]));
    expect(await handshakeFrom(stage.gateway, { localPort })).toMatchObject({
      reason: 'handshake_too_large',
      detail: expect.stringMatching(
        /^the client sent more than 4 times limits\.handshakeBytes \(16384 bytes\) during the handshake/,
      ),
    });
  });
});

it('keeps the relay thread running when OpenSSL fails in the middle of a client’s handshake', async () => {
  // The first signature of the chain is wrong, and OpenSSL fails while it waits for the bytes after it.
  const leaf = costlyChain({ length: 1, bits: 2048, exponent: 65_537n });
  await using pieces = await inPieces({ port: stage.gateway.port, localAddress: address });
  for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
    const { record } = await failure({ leaf, maxVersion, port: pieces.port });
    expect(['protocol_error', 'address_refused']).toContain(record.reason);
  }
  expect(stage.gateway.log().filter(({ level }) => level > 40)).toEqual([]);
});

// Each connection of these tests has one handshake record.
afterAll(async () => {
  await expectOneRecordEach(stage.gateway);
});

function dersOf(pem: string): Buffer[] {
  return [...pem.matchAll(/-----BEGIN CERTIFICATE-----([^-]+)-----END/g)].map(([, base64 = '']) =>
    Buffer.from(base64, 'base64'),
  );
}

function uint24(value: number): Buffer {
  const bytes = Buffer.alloc(3);
  bytes.writeUIntBE(value, 0, 3);
  return bytes;
}

/** Forwards the client's bytes in pieces of some dozens of bytes, each in a segment of its own. */
function inPieces(to: { readonly port: number; readonly localAddress: string }) {
  const server = createServer({ noDelay: true, pauseOnConnect: true }, (client) => {
    const gateway = connectTcp({ ...to, host: '127.0.0.1', noDelay: true }).on('error', () => {});
    gateway.once('close', () => client.destroy()).pipe(client.on('error', () => {}));
    client.on('data', async (chunk: Buffer) => {
      client.pause();
      for (let at = 0; at < chunk.length && !gateway.destroyed; at += 97)
        await new Promise((written) => gateway.write(chunk.subarray(at, at + 97), written));
      client.resume();
    });
    client.once('end', () => gateway.end()).resume();
  });
  return listenOnLoopback(server);
}
