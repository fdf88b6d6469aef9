import { once } from 'node:events';
import { createServer } from 'node:net';
import type { SecureVersion, TlsOptions } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { formatName, readName } from '../../src/pki/distinguished-name.ts';
import type { FlightOutcome } from '../../src/probe/outcome.ts';
import { type FlightOptions, readServerFlight } from '../../src/probe/read-flight.ts';
import type { ServerFlight } from '../../src/probe/server-flight.ts';
import { authority } from '../support/pki/authority.ts';
import { answerWith, drip } from '../support/probe/misbehaving-server.ts';
import { writeFlight, writeRecords } from '../support/probe/server-flight.ts';
import { asking, openTlsServer } from '../support/probe/tls-server.ts';
import { listenOnLoopback } from '../support/process/listening.ts';
import { openSilentHost, type SilentHost } from '../support/process/silent-host.ts';

const ca = authority();

function read(port: number, options: Partial<FlightOptions> = {}): Promise<FlightOutcome> {
  return readServerFlight({
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    timeoutMs: 20_000,
    version: 'TLS 1.2',
    ...options,
  });
}

async function flightOf(settings: TlsOptions, options: Partial<FlightOptions> = {}): Promise<ServerFlight> {
  await using server = await openTlsServer(ca, settings);
  const outcome = await read(server.port, options);
  if (outcome.kind !== 'flight') throw new Error(JSON.stringify(outcome));
  return outcome.flight;
}

describe('the flight of a real server', () => {
  it.each(['TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3'] as const)('is read in %s', async (version) => {
    const only = `TLSv${version.slice(4)}`.replace('1.0', '1') as SecureVersion;
    const flight = await flightOf({ ...asking(ca), minVersion: only, maxVersion: only }, { version });
    const is13 = version === 'TLS 1.3';
    expect(flight.version).toBe(version);
    expect(flight.secureRenegotiation).toBe(is13 ? null : true);
    expect(flight.extendedMasterSecret).toBe(is13 ? null : true);
    expect(flight.certificates).toHaveLength(2);
    expect(flight.certificates[1]).toEqual(ca.issuing.der);
    expect(flight.keyExchange?.group.name).toBe('x25519');
    const scheme = flight.keyExchange?.signatureScheme?.name;
    expect(scheme).toBe(version < 'TLS 1.2' ? undefined : 'ecdsa_secp256r1_sha256');
    const names = flight.certificateRequest?.authorities.map((der) => formatName(readName(der)));
    expect(names).toEqual([
      'CN=Example Root CA,OU=Example Directory,O=Example Limited,C=GB',
      'CN=Example Issuing CA,OU=Example Directory,O=Example Limited,C=GB',
    ]);
  });

  it('has the signature algorithms and certificate types that the server asks for, in its order', async () => {
    const settings = { ...asking(ca), sigalgs: 'rsa_pss_rsae_sha256:ecdsa_secp256r1_sha256:RSA+SHA384' };
    const schemes = ['rsa_pss_rsae_sha256', 'ecdsa_secp256r1_sha256', 'rsa_pkcs1_sha384'];
    const { certificateRequest } = await flightOf(settings);
    expect(certificateRequest?.signatureSchemes.map(({ name }) => name)).toEqual(schemes);
    expect(certificateRequest?.certificateTypes).toEqual(['rsa_sign', 'ecdsa_sign']);
    const request13 = (await flightOf(settings, { version: 'TLS 1.3' })).certificateRequest;
    expect(request13?.signatureSchemes.map(({ name }) => name)).toEqual(schemes);
    expect(request13?.certificateTypes).toEqual([]);
  });

  it.each(['TLS 1.2', 'TLS 1.3'] as const)('has a request without CA names in %s', async (version) => {
    const { certificateRequest } = await flightOf({ requestCert: true, ca: [] }, { version });
    expect(certificateRequest?.authorities).toEqual([]);
  });

  it.each(['TLS 1.2', 'TLS 1.3'] as const)('has no request where none is made in %s', async (version) => {
    expect((await flightOf({}, { version })).certificateRequest).toBe(null);
  });

  it.each(['TLS 1.2', 'TLS 1.3'] as const)('names the protocol of ALPN in %s', async (version) => {
    const alpn = ['h2', 'http/1.1'];
    expect((await flightOf({ ALPNProtocols: ['http/1.1'] }, { version, alpn })).alpn).toBe('http/1.1');
    expect((await flightOf({ ALPNProtocols: ['http/1.1'] }, { version })).alpn).toBe(null);
  });

  it.each(['TLS 1.2', 'TLS 1.3'] as const)('is the one for the server name in %s', async (version) => {
    const other = ca.issueServer({ subject: { CN: 'other' } });
    const settings: TlsOptions = {
      SNICallback: (name, done) => done(null, name === 'other' ? otherContext : undefined),
    };
    const { createSecureContext } = await import('node:tls');
    const otherContext = createSecureContext({ cert: other.pem, key: other.keyPem });
    expect((await flightOf(settings, { version, servername: 'other' })).certificates).toEqual([other.der]);
    expect((await flightOf(settings, { version, servername: null })).certificates).toHaveLength(2);
  });

  it.each(['x25519', 'prime256v1', 'secp384r1', 'secp521r1'])(
    'is read in TLS 1.3 where %s is the only group',
    async (ecdhCurve) => {
      const { keyExchange } = await flightOf({ ecdhCurve }, { version: 'TLS 1.3' });
      expect(keyExchange?.group.name).toBe(ecdhCurve.replace('prime256v1', 'secp256r1'));
    },
  );

  it('is read in TLS 1.3 where the server prefers a suite and a group that cannot be read', async () => {
    const ciphers = 'TLS_AES_128_CCM_SHA256:TLS_AES_128_GCM_SHA256:AES128-SHA:@SECLEVEL=0';
    const ecdhCurve = 'X25519MLKEM768:x448:secp384r1';
    expect(await flightOf({ ciphers, ecdhCurve }, { version: 'TLS 1.3' })).toMatchObject({
      suite: { name: 'TLS_AES_128_GCM_SHA256' },
      keyExchange: { group: { name: 'secp384r1' } },
    });
  });

  it('has certificates in the order sent, also a wrong one', async () => {
    const leaf = ca.issueServer();
    const cert = leaf.pem + ca.root.pem + ca.issuing.pem;
    const { certificates } = await flightOf({ cert, key: leaf.keyPem });
    expect(certificates).toEqual([leaf.der, ca.root.der, ca.issuing.der]);
  });

  it('is read with a static key exchange, and with a Diffie-Hellman group', async () => {
    const { chainPem: cert, keyPem: key } = ca.issueServer({ key: 'rsa-2048' });
    const fixed = await flightOf({ cert, key, ciphers: 'AES128-SHA:@SECLEVEL=0' });
    expect(fixed).toMatchObject({ suite: { name: 'TLS_RSA_WITH_AES_128_CBC_SHA' }, keyExchange: null });
    const dhe = await flightOf({ cert, key, ciphers: 'DHE-RSA-AES128-GCM-SHA256', dhparam: 'auto' });
    expect(dhe.keyExchange?.group).toEqual({ code: null, name: 'dh 2048 bits', strength: 2048 });
  });

  it('is read with an anonymous suite, which has no certificate', async () => {
    const { certificates, keyExchange } = await flightOf({ ciphers: 'AECDH-AES128-SHA:@SECLEVEL=0' });
    expect(certificates).toEqual([]);
    expect(keyExchange).toMatchObject({ signatureScheme: null });
  });

  it('is read where hundreds of CAs are named', async () => {
    const names = Array.from({ length: 300 }, (_, index) =>
      authority({ name: `Directory ${index}` }).root.pem.toString(),
    );
    const { certificateRequest } = await flightOf({ requestCert: true, ca: names });
    expect(certificateRequest?.authorities).toHaveLength(300);
    const [first] = certificateRequest?.authorities ?? [];
    expect(formatName(readName(first as Buffer))).toContain('CN=Directory 0 Root CA');
  });
});

describe('a server that does not answer with a flight', () => {
  let silent: SilentHost;
  beforeAll(async () => {
    silent = await openSilentHost();
  });
  afterAll(() => silent[Symbol.asyncDispose]());

  it('refuses the version with an alert', async () => {
    await using server = await openTlsServer(ca, { minVersion: 'TLSv1.3' });
    expect(await read(server.port)).toMatchObject({
      kind: 'alert',
      name: 'protocol_version (70)',
      received: null,
    });
  });

  it('speaks an older version', async () => {
    await using server = await openTlsServer(ca, { maxVersion: 'TLSv1.1' });
    expect(await read(server.port)).toMatchObject({ kind: 'other-version', version: 'TLS 1.1' });
  });

  it('accepts no connection', async () => {
    const server = await listenOnLoopback(createServer());
    await server.close();
    expect(await read(server.port)).toMatchObject({
      kind: 'unreachable',
      code: 'ECONNREFUSED',
      connectMs: null,
    });
  });

  it('has a name that does not resolve', async () => {
    const outcome = await read(443, { host: 'no-such-host.invalid' });
    expect(outcome).toMatchObject({ kind: 'unreachable', code: expect.stringMatching(/^E/) });
  });

  it('does not complete the connection', async () => {
    const port = Number(new URL(silent.url).port);
    expect(await read(port, { timeoutMs: 100 })).toMatchObject({ kind: 'timeout', phase: 'connect' });
  });

  it('hangs', async () => {
    await using server = await answerWith(() => {});
    expect(await read(server.port, { timeoutMs: 100 })).toMatchObject({
      kind: 'timeout',
      phase: 'handshake',
      connectMs: expect.any(Number),
    });
  });

  it('hangs after its ServerHello', async () => {
    const [hello = Buffer.alloc(0)] = writeFlight(flight);
    await using server = await answerWith(({ socket }) => socket.write(writeRecords(hello)));
    expect(await read(server.port, { timeoutMs: 200 })).toMatchObject({
      kind: 'timeout',
      received: { version: 'TLS 1.2', certificates: [] },
    });
  });

  it('resets the connection', async () => {
    await using server = await answerWith(({ socket }) => socket.resetAndDestroy());
    expect(await read(server.port)).toMatchObject({ kind: 'reset', code: 'ECONNRESET' });
  });

  it('resets the connection after a cut-off line of HTTP', async () => {
    await using server = await answerWith(({ socket }) =>
      socket.write('HTTP/1.1 503', () => setImmediate(() => socket.resetAndDestroy())),
    );
    expect(await read(server.port)).toMatchObject({ kind: 'http', status: 503 });
  });

  it('closes the connection', async () => {
    await using server = await answerWith(({ socket }) => socket.end());
    expect(await read(server.port)).toMatchObject({ kind: 'closed' });
  });

  it('speaks plain HTTP', async () => {
    const { createServer: createHttpServer } = await import('node:http');
    await using server = await listenOnLoopback(createHttpServer());
    expect(await read(server.port)).toMatchObject({ kind: 'http', status: 400 });
  });

  it('sends garbage', async () => {
    await using server = await answerWith(({ socket }) => socket.end(Buffer.from([0xff, 0x00, 0x41])));
    expect(await read(server.port)).toMatchObject({ kind: 'not-tls', text: '..A' });
  });

  it('sends garbage without an end', async () => {
    await using server = await answerWith(({ socket }) => {
      const record = writeRecords(Buffer.alloc(2 ** 14, 1), { type: 22 });
      const more = () => {
        while (!socket.destroyed && socket.write(record));
      };
      socket.on('drain', more);
      more();
    });
    expect(await read(server.port)).toMatchObject({ kind: 'malformed' });
  });

  it('speaks first', async () => {
    await using server = await listenOnLoopback(
      createServer((socket) => {
        socket.on('error', () => {});
        socket.write('220 mail.example ESMTP\r\n');
      }),
    );
    expect(await read(server.port)).toMatchObject({ kind: 'not-tls', text: '220 mail.example ESMTP..' });
  });

  it('presents a certificate that cannot be parsed, which is passed on as it is', async () => {
    const certificates = [Buffer.from('no certificate')];
    const bytes = writeRecords(Buffer.concat(writeFlight({ ...flight, certificates })));
    await using server = await answerWith(({ socket }) => socket.write(bytes));
    expect(await read(server.port)).toMatchObject({ kind: 'flight', flight: { certificates } });
  });

  it('sends its flight byte by byte, and is read', async () => {
    await using server = await answerWith(({ socket }) =>
      drip(socket, writeRecords(Buffer.concat(writeFlight(flight)))),
    );
    expect(await read(server.port)).toMatchObject({ kind: 'flight' });
  });

  it('sends its flight so slowly that the limit passes', async () => {
    const bytes = writeRecords(Buffer.concat(writeFlight(flight)));
    await using server = await answerWith(async ({ socket }) => {
      for (const byte of bytes.subarray(0, -1)) {
        socket.write(Buffer.of(byte));
        await new Promise((next) => setImmediate(next));
      }
    });
    expect(await read(server.port, { timeoutMs: 500 })).toMatchObject({
      kind: 'timeout',
      phase: 'handshake',
    });
  });

  it('is left without a connection afterwards', async () => {
    await using server = await answerWith(({ socket }) => socket.write('SSH-2.0-x\r\n'));
    await read(server.port);
    const [open] = server.sockets;
    if (open !== undefined) await once(open, 'close');
    expect(server.sockets.size).toBe(0);
  });
});

const flight = {
  version: 0x0303,
  suite: 0xc02b,
  sessionId: Buffer.alloc(0),
  extensions: [],
  certificates: [Buffer.from('leaf')],
  keyExchange: { group: 23, scheme: 0x0403 },
  request: null,
};
