/** What the TLS server offers and refuses: versions, suites, ALPN, SNI, renegotiation, two kinds of certificate. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { authority, type Leaf } from '../support/pki/authority.ts';
import { sClient } from '../support/pki/openssl.ts';
import { post } from '../support/process/client.ts';
import { expectOneRecordEach, handshakeFrom } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const pki = authority();
const rsa = pki.issueServer({ key: 'rsa-2048', subject: { CN: 'rsa' } });
const ecdsa = pki.issueServer({ key: 'P-256', subject: { CN: 'ecdsa' } });

let stage: Stage;
const files = {} as Record<'root' | 'chain' | 'key', string>;
beforeAll(async () => {
  const certificate = [
    { chain: 'rsa.pem', key: 'rsa.key' },
    { chain: 'ecdsa.pem', key: 'ecdsa.key' },
  ];
  stage = await openStage({
    authority: pki,
    config: { listen: { certificate } },
    files: {
      'rsa.pem': rsa.chainPem,
      'rsa.key': rsa.keyPem,
      'ecdsa.pem': ecdsa.chainPem,
      'ecdsa.key': ecdsa.keyPem,
    },
  });
  const put = async (name: string, content: string) => {
    const file = join(stage.gateway.folder, name);
    await writeFile(file, content, { mode: 0o600 });
    return file;
  };
  files.root = await put('root.pem', pki.root.pem);
  files.chain = await put('client.pem', stage.leaf.chainPem);
  files.key = await put('client.key', stage.leaf.keyPem);
});
afterAll(() => stage[Symbol.asyncDispose]());

const identity = () => ['-CAfile', files.root, '-cert', files.chain, '-key', files.key];

describe('the TLS server', () => {
  it.each([
    ['TLSv1.3', 'TLS_AES_128_GCM_SHA256'],
    ['TLSv1.2', 'TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256'],
  ] as const)('speaks %s and prefers %s, whatever the client prefers', async (version, cipher) => {
    const ciphers =
      'TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:' +
      'ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256';
    await using client = await stage.connect({ minVersion: version, maxVersion: version, ciphers });
    const record = await handshakeFrom(stage.gateway, client.socket);
    expect(record).toMatchObject({ verdict: 'allow', tls_version: version, cipher, resumed: false });
  });

  it.each([
    ['TLS 1.0', '-tls1', '127.0.1.0'],
    ['TLS 1.1', '-tls1_1', '127.0.1.1'],
  ])('refuses %s, with SNI and without', async (_version, flag, address) => {
    for (const sni of [['-servername', 'gateway.example'], ['-noservername']]) {
      const before = stage.gateway.records().length;
      const { stdout, stderr } = await sClient(
        stage.gateway,
        flag,
        '-bind',
        `${address}:0`,
        '-cipher',
        'ALL@SECLEVEL=0',
        ...sni,
      );
      expect(stderr).toMatch(/alert protocol version/);
      expect(stdout).toContain('no peer certificate available');
      const record = await stage.gateway.next(({ source_address }) => source_address === address, before);
      expect(record).toMatchObject({
        verdict: 'failed',
        reason: 'protocol_version',
        source_address: address,
        openssl_code: 'ERR_SSL_UNSUPPORTED_PROTOCOL',
      });
    }
  });

  it.each(['ECDHE-ECDSA-AES128-SHA256', 'AES128-GCM-SHA256', 'DHE-RSA-AES128-GCM-SHA256', 'NULL'])(
    'shares no suite outside RFC 9325 with a client that offers only %s',
    async (cipher) => {
      const { stderr } = await sClient(stage.gateway, '-tls1_2', '-cipher', `${cipher}:@SECLEVEL=0`);
      expect(stderr).toMatch(/handshake failure|no cipher match/);
    },
  );
});

describe('renegotiation', () => {
  it('is refused on TLS 1.2', async () => {
    for (const sni of [['-servername', 'gateway.example'], ['-noservername']]) {
      const { stderr } = await sClient(
        { port: stage.gateway.port, input: 'R\n' },
        '-tls1_2',
        ...identity(),
        ...sni,
      );
      expect(stderr).toMatch(/RENEGOTIATING\n.*no renegotiation/);
    }
  });
});

describe('ALPN', () => {
  it.each([
    ['http/1.1', ['http/1.1'], 'http/1.1'],
    ['h2 and http/1.1', ['h2', 'http/1.1'], 'http/1.1'],
    ['http/1.0 alone', ['http/1.0'], 'http/1.0'],
    ['http/1.0 and http/1.1', ['http/1.0', 'http/1.1'], 'http/1.1'],
    ['nothing', undefined, null],
  ] as const)('lets a client in that offers %s', async (_what, offered, chosen) => {
    await using client = await stage.connect(offered === undefined ? {} : { ALPNProtocols: [...offered] });
    expect(await handshakeFrom(stage.gateway, client.socket)).toMatchObject({
      verdict: 'allow',
      alpn: chosen,
    });
    expect(client.socket.alpnProtocol).toBe(chosen ?? false);
    expect(statusOf(await client.exchange(post()))).toBe(200);
  });

  it('refuses a client that offers h2 alone', async () => {
    await expect(stage.connect({ ALPNProtocols: ['h2'] })).rejects.toThrow(/no application protocol/);
    const record = await stage.gateway.audit(
      ({ openssl_code }) => openssl_code === 'ERR_SSL_NO_APPLICATION_PROTOCOL',
    );
    expect(record).toMatchObject({
      verdict: 'failed',
      reason: 'no_shared_alpn',
      source_address: '127.0.0.1',
    });
  });
});

describe('the server’s certificate', () => {
  it.each([
    ['RSA', 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256', 'rsa', rsa],
    ['ECDSA', 'ecdsa_secp256r1_sha256', 'ecdsa', ecdsa],
  ] as const)(
    'is the %s one for a client that verifies only this key type',
    async (_kind, sigalgs, name, issued: Leaf) => {
      for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
        const options = { sigalgs, leaf: undefined, maxVersion: version };
        await using client = await stage.connect(options);
        expect(peerName(client.socket)).toBe(name);
        expect(client.socket.getPeerX509Certificate()?.raw).toEqual(issued.der);
      }
    },
  );

  it('is sent with its intermediate, also without SNI', async () => {
    for (const sni of [['-servername', 'gateway.example'], ['-noservername']]) {
      const { stdout, stderr } = await sClient(stage.gateway, ...identity(), '-verify_return_error', ...sni);
      expect(stderr).toMatch(/^depth=1 .*Example Issuing CA$/m);
      expect(stderr).toMatch(/^depth=0 .*ecdsa$/m);
      const sent = stdout.slice(stdout.indexOf('Certificate chain'), stdout.indexOf('Server certificate'));
      expect(sent.match(/^ \d s:.*$/gm)).toEqual([
        expect.stringMatching(/^ 0 s:.*ecdsa$/),
        expect.stringMatching(/^ 1 s:.*Example Issuing CA$/),
      ]);
      expect(stdout).toContain('Verify return code: 0 (ok)');
    }
  });
});

it('records the SNI, or null without one', async () => {
  await using named = await stage.connect({ servername: 'localhost' });
  expect(await handshakeFrom(stage.gateway, named.socket)).toMatchObject({
    sni: 'localhost',
    verdict: 'allow',
  });
  await using nameless = await stage.connect();
  expect(await handshakeFrom(stage.gateway, nameless.socket)).toMatchObject({ sni: null, verdict: 'allow' });
});

// Each connection of these tests has one handshake record.
afterAll(async () => {
  await expectOneRecordEach(stage.gateway);
});

function peerName(socket: TLSSocket): string | string[] | undefined {
  return socket.getPeerCertificate().subject.CN;
}
