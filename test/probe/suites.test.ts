import { constants } from 'node:crypto';
import { connect, createServer } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { Deadline } from '../../src/probe/deadline.ts';
import { probeSuites, type SuiteProbeOptions } from '../../src/probe/suites.ts';
import { authority } from '../support/pki/authority.ts';
import { answerWith, forward } from '../support/probe/misbehaving-server.ts';
import { openTlsServer } from '../support/probe/tls-server.ts';
import { listenOnLoopback } from '../support/process/listening.ts';

const ca = authority();
const rsa = authority({ key: 'rsa-2048' });

const probe = (port: number, options: Partial<SuiteProbeOptions> = {}) =>
  probeSuites({
    host: '127.0.0.1',
    port,
    servername: 'localhost',
    timeoutMs: 20_000,
    version: 'TLS 1.2',
    ...options,
  });

async function suitesOf(settings: TlsOptions, version: SuiteProbeOptions['version'] = 'TLS 1.2') {
  const { chainPem: cert, keyPem: key } = rsa.issueServer({ key: 'rsa-2048' });
  await using server = await openTlsServer(rsa, { cert, key, ...settings });
  const { suites, ...rest } = await probe(server.port, { version });
  return { names: suites.map(({ name }) => name), ...rest };
}

describe('the cipher suites of a server', () => {
  it('are found in the order of the server', async () => {
    const ciphers = 'AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-SHA256:@SECLEVEL=0';
    expect(await suitesOf({ ciphers })).toEqual({
      version: 'TLS 1.2',
      names: [
        'TLS_RSA_WITH_AES_128_CBC_SHA',
        'TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384',
        'TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256',
      ],
      preference: 'server',
      incomplete: null,
    });
  });

  it('are found where the order of the client counts', async () => {
    const ciphers = 'AES128-SHA:ECDHE-RSA-AES256-GCM-SHA384:@SECLEVEL=0';
    const found = await suitesOf({ ciphers, honorCipherOrder: false });
    expect(found.names).toEqual(['TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384', 'TLS_RSA_WITH_AES_128_CBC_SHA']);
    expect(found.preference).toBe('client');
  });

  it('have the order of the server where it makes an exception for ChaCha20', async () => {
    const ciphers = 'ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305';
    const secureOptions = constants.SSL_OP_CIPHER_SERVER_PREFERENCE | constants.SSL_OP_PRIORITIZE_CHACHA;
    expect((await suitesOf({ ciphers, secureOptions })).preference).toBe('server');
  });

  it.each([
    ['AES256-SHA', 'TLS_RSA_WITH_AES_256_CBC_SHA'],
    ['NULL-SHA256', 'TLS_RSA_WITH_NULL_SHA256'],
    ['AECDH-AES128-SHA', 'TLS_ECDH_anon_WITH_AES_128_CBC_SHA'],
    ['ECDHE-RSA-CHACHA20-POLY1305', 'TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256'],
    ['AES128-CCM8', 'TLS_RSA_WITH_AES_128_CCM_8'],
    ['ECDHE-ARIA128-GCM-SHA256', 'TLS_ECDHE_RSA_WITH_ARIA_128_GCM_SHA256'],
    ['CAMELLIA256-SHA', 'TLS_RSA_WITH_CAMELLIA_256_CBC_SHA'],
  ])('are found where there is one alone: %s', async (openssl, name) => {
    const found = await suitesOf({ ciphers: `${openssl}:@SECLEVEL=0` });
    expect(found).toMatchObject({ names: [name], preference: null, incomplete: null });
  });

  it('are found in TLS 1.3', async () => {
    const ciphers = 'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256';
    expect(await suitesOf({ ciphers, minVersion: 'TLSv1.3' }, 'TLS 1.3')).toMatchObject({
      names: ['TLS_CHACHA20_POLY1305_SHA256', 'TLS_AES_128_GCM_SHA256'],
      preference: 'server',
    });
  });

  it('are found in TLS 1.0', async () => {
    const ciphers = 'ECDHE-RSA-AES128-SHA:ECDHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0';
    expect((await suitesOf({ ciphers }, 'TLS 1.0')).names).toEqual(['TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA']);
  });

  it('are none where the version is refused', async () => {
    await using server = await openTlsServer(ca, { minVersion: 'TLSv1.3' });
    expect(await probe(server.port)).toEqual({
      version: 'TLS 1.2',
      suites: [],
      preference: null,
      incomplete: null,
    });
  });

  it('are reported one by one', async () => {
    await using server = await openTlsServer(ca, { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' });
    const found: string[] = [];
    await probe(server.port, { onSuite: ({ name }) => found.push(name) });
    expect(found).toEqual(['TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384']);
  });

  it('are complete where it closes the connection at what it does not accept', async () => {
    await using tls = await openTlsServer(ca, { ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384' });
    await using server = await listenOnLoopback(
      createServer((socket) => {
        const onward = connect({ port: tls.port, host: '127.0.0.1' });
        for (const end of [socket, onward]) end.on('error', () => {});
        socket.pipe(onward);
        onward.on('data', (answer) => (answer[0] === 21 ? socket.end() : socket.write(answer)));
      }),
    );
    const { suites, incomplete } = await probe(server.port);
    expect(suites).toHaveLength(1);
    expect(incomplete).toBe(null);
  });

  it('are incomplete where it stops to answer', async () => {
    await using tls = await openTlsServer(ca, { ciphers: 'AES128-SHA:ALL:@SECLEVEL=0' });
    await using server = await answerWith((client) => {
      if (client.before < 3) forward(client, tls.port);
    });
    const found = await probe(server.port, { timeoutMs: 200 });
    expect(found).toMatchObject({ preference: null, incomplete: { kind: 'timeout' } });
    expect(found.suites).toHaveLength(3);
  });

  it('are incomplete where the limit of all connections passes', async () => {
    let connections = 0;
    await using counting = await listenOnLoopback(createServer().on('connection', () => connections++));
    const found = await probe(counting.port, { deadline: new Deadline(0) });
    expect(found).toMatchObject({ suites: [], incomplete: { kind: 'timeout', phase: 'total' } });
    expect(connections).toBe(0);
    await using silent = await answerWith(() => {});
    const late = await probe(silent.port, { deadline: new Deadline(50) });
    expect(late).toMatchObject({ suites: [], incomplete: { kind: 'timeout', phase: 'total' } });
  });
});
