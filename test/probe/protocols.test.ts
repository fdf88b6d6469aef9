import type { SecureVersion, TlsOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import type { Endpoint } from '../../src/probe/endpoint.ts';
import { probeProtocols } from '../../src/probe/protocols.ts';
import { type VersionName, versionNames } from '../../src/probe/versions.ts';
import { authority } from '../support/pki/authority.ts';
import { answerWith, forward } from '../support/probe/misbehaving-server.ts';
import { serverHello, writeRecords } from '../support/probe/server-flight.ts';
import { openTlsServer } from '../support/probe/tls-server.ts';

const ca = authority();

const endpoint = (port: number, timeoutMs = 20_000): Endpoint => {
  return { host: '127.0.0.1', port, servername: 'localhost', timeoutMs };
};

async function versionsAt(port: number, timeoutMs?: number): Promise<Record<VersionName, boolean | null>> {
  const support = await probeProtocols(endpoint(port, timeoutMs));
  const entries = versionNames.map((version) => [version, support[version].offered]);
  return Object.fromEntries(entries);
}

const none = { 'SSL 3.0': false, 'TLS 1.0': false, 'TLS 1.1': false, 'TLS 1.2': false, 'TLS 1.3': false };
const unknown = { 'SSL 3.0': null, 'TLS 1.0': null, 'TLS 1.1': null, 'TLS 1.2': null, 'TLS 1.3': null };

describe('the versions of a server', () => {
  it.each<[SecureVersion, SecureVersion, VersionName[]]>([
    ['TLSv1', 'TLSv1', ['TLS 1.0']],
    ['TLSv1', 'TLSv1.3', ['TLS 1.0', 'TLS 1.1', 'TLS 1.2', 'TLS 1.3']],
    ['TLSv1.1', 'TLSv1.2', ['TLS 1.1', 'TLS 1.2']],
    ['TLSv1.2', 'TLSv1.2', ['TLS 1.2']],
    ['TLSv1.2', 'TLSv1.3', ['TLS 1.2', 'TLS 1.3']],
    ['TLSv1.3', 'TLSv1.3', ['TLS 1.3']],
  ])('from %s to %s are found', async (minVersion, maxVersion, offered) => {
    await using server = await openTlsServer(ca, { minVersion, maxVersion });
    const expected = { ...none, ...Object.fromEntries(offered.map((version) => [version, true])) };
    expect(await versionsAt(server.port)).toEqual(expected);
  });

  it.each<[what: string, settings: TlsOptions]>([
    ['P-521 alone', { ecdhCurve: 'secp521r1' }],
    ['a group that only new servers have', { ecdhCurve: 'X25519MLKEM768' }],
    ['x448 alone', { ecdhCurve: 'x448' }],
    ['CCM alone', { ciphers: 'TLS_AES_128_CCM_8_SHA256:AES128-SHA:@SECLEVEL=0' }],
  ])('are found where it accepts %s', async (_, settings) => {
    await using server = await openTlsServer(ca, { ...settings, minVersion: 'TLSv1.3' });
    expect(await versionsAt(server.port)).toEqual({ ...none, 'TLS 1.3': true });
  });

  it('are found where it accepts CBC suites only', async () => {
    const ciphers = 'ECDHE-ECDSA-AES128-SHA:@SECLEVEL=0';
    await using server = await openTlsServer(ca, { ciphers, maxVersion: 'TLSv1.2' });
    const support = await probeProtocols(endpoint(server.port));
    expect(support['TLS 1.2']).toMatchObject({
      offered: true,
      suite: { name: 'TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA' },
      secureRenegotiation: true,
    });
    expect(support['TLS 1.3']).toMatchObject({ offered: false, failure: { kind: 'alert' } });
  });

  it('include SSL 3.0, and a server without secure renegotiation is seen', async () => {
    await using server = await answerWith(({ socket }) => {
      const hello = { version: 0x0300, suite: 0x000a, sessionId: Buffer.alloc(0), extensions: [] };
      socket.write(writeRecords(serverHello(hello)));
    });
    const support = await probeProtocols(endpoint(server.port));
    expect(support['SSL 3.0']).toMatchObject({ offered: true, secureRenegotiation: false });
    expect(support['TLS 1.0']).toMatchObject({ offered: false, failure: { kind: 'other-version' } });
  });

  it.each<[what: string, end: 'end' | 'resetAndDestroy']>([
    ['closes', 'end'],
    ['resets', 'resetAndDestroy'],
  ])('are known where it %s the connection at all others', async (_, end) => {
    await using tls = await openTlsServer(ca, { minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });
    await using server = await answerWith((client) => {
      // client_version is behind the headers of record and message.
      if (client.hello.readUInt16BE(9) === 0x0303) forward(client, tls.port);
      else client.socket[end]();
    });
    expect(await versionsAt(server.port)).toEqual({ ...none, 'TLS 1.2': true });
  });

  it.each<[what: string, answer: Parameters<typeof answerWith>[0]]>([
    ['closes every connection', ({ socket }) => socket.end()],
    ['hangs', () => {}],
    ['speaks plain HTTP', ({ socket }) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')],
  ])('are unknown where it %s', async (_, answer) => {
    await using server = await answerWith(answer);
    expect(await versionsAt(server.port, 200)).toEqual(unknown);
  });

  it('are none where every one is refused', async () => {
    await using server = await answerWith(({ socket }) => socket.end(Buffer.of(21, 3, 3, 0, 2, 2, 40)));
    expect(await versionsAt(server.port)).toEqual(none);
  });

  it('are found where it refuses a ClientHello of TLS 1.3 without keys', async () => {
    await using tls = await openTlsServer(ca, { minVersion: 'TLSv1.3' });
    await using server = await answerWith((client) => {
      const hasKeys = !client.hello.includes(Buffer.from('003300020000', 'hex'));
      if (hasKeys) forward(client, tls.port);
      else client.socket.end(Buffer.of(21, 3, 3, 0, 2, 2, 40));
    });
    expect((await versionsAt(server.port))['TLS 1.3']).toBe(true);
  });
});
