import type { TlsOptions } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { formatName, readName } from '../../src/pki/distinguished-name.ts';
import { readSentFacts, type SentFactsOptions } from '../../src/probe/sent-facts.ts';
import { authority } from '../support/pki/authority.ts';
import { sClient } from '../support/pki/openssl.ts';
import { answerWith } from '../support/probe/misbehaving-server.ts';
import { asking, openTlsServer } from '../support/probe/tls-server.ts';

const ca = authority();

const options = (port: number, rest: Partial<SentFactsOptions> = {}): SentFactsOptions => {
  return { host: '127.0.0.1', port, servername: 'localhost', timeoutMs: 20_000, ...rest };
};

const namesIn = (authorities: readonly Buffer[]) => authorities.map((der) => formatName(readName(der)));

async function authoritiesAt(port: number): Promise<readonly Buffer[]> {
  const facts = await readSentFacts(options(port));
  return facts.kind === 'sent' ? (facts.certificateRequest?.authorities ?? []) : [];
}

const directory = [
  'CN=Example Root CA,OU=Example Directory,O=Example Limited,C=GB',
  'CN=Example Issuing CA,OU=Example Directory,O=Example Limited,C=GB',
];

describe('what a server sends unasked', () => {
  it.each<[what: string, settings: TlsOptions, version: string]>([
    ['TLS 1.2 and 1.3', {}, 'TLS 1.2'],
    ['TLS 1.3 alone', { minVersion: 'TLSv1.3' }, 'TLS 1.3'],
    ['TLS 1.1 at most', { maxVersion: 'TLSv1.1' }, 'TLS 1.1'],
  ])('is read from a server of %s', async (_, settings, version) => {
    await using server = await openTlsServer(ca, { ...asking(ca), ...settings });
    const facts = await readSentFacts(options(server.port));
    expect(facts).toMatchObject({ kind: 'sent', version, source: 'flight', certificates: { length: 2 } });
    expect(namesIn(await authoritiesAt(server.port))).toEqual(directory);
  });

  it('agrees with the names that openssl s_client prints', async () => {
    await using server = await openTlsServer(ca, { ...asking(ca), minVersion: 'TLSv1.3' });
    const { stdout } = await sClient({ port: server.port }, '-nameopt', 'RFC2253');
    const [, printed = ''] = /CA names\n((?:.*=.*\n)+?)(?:Client|Requested)/.exec(stdout) ?? [];
    expect(namesIn(await authoritiesAt(server.port))).toEqual(printed.trim().split('\n'));
  });

  it('is no request where none is made', async () => {
    await using server = await openTlsServer(ca, {});
    expect(await readSentFacts(options(server.port))).toMatchObject({ certificateRequest: null });
  });

  it('is read by openssl from a server of TLS 1.3 that accepts no group of ours', async () => {
    await using server = await openTlsServer(ca, { ...asking(ca), minVersion: 'TLSv1.3', ecdhCurve: 'x448' });
    const facts = await readSentFacts(options(server.port));
    expect(facts).toMatchObject({ kind: 'sent', version: 'TLS 1.3', source: 'openssl' });
    expect(namesIn(await authoritiesAt(server.port))).toEqual(directory);
  });

  it('cannot be read from such a server where openssl is not installed', async () => {
    await using server = await openTlsServer(ca, { ...asking(ca), minVersion: 'TLSv1.3', ecdhCurve: 'x448' });
    const at = options(server.port, { openssl: '/nonexistent/openssl' });
    const expected = { kind: 'not-possible', reason: 'openssl is not installed' };
    expect(await readSentFacts(at)).toEqual(expected);
  });

  it.each<[what: string, answer: Parameters<typeof answerWith>[0], failure: object]>([
    [
      'refuses every version',
      ({ socket }) => socket.end(Buffer.of(21, 3, 3, 0, 2, 2, 40)),
      { kind: 'alert' },
    ],
    ['closes the connection', ({ socket }) => socket.end(), { kind: 'closed' }],
    ['resets the connection', ({ socket }) => socket.resetAndDestroy(), { kind: 'reset' }],
    ['speaks plain HTTP', ({ socket }) => socket.end('HTTP/1.1 400 Bad Request\r\n'), { kind: 'http' }],
    ['sends garbage', ({ socket }) => socket.end('garbage'), { kind: 'not-tls' }],
    ['hangs', () => {}, { kind: 'timeout' }],
  ])('is a failure where it %s', async (_, answer, failure) => {
    await using server = await answerWith(answer);
    const facts = await readSentFacts(options(server.port, { timeoutMs: 300 }));
    expect(facts).toMatchObject({ kind: 'failed', failure });
  });
});
