/** Failed handshakes: a reason for each cause, and a detail that explains the cause and the remedy. */
import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusOf } from '../support/http/http.ts';
import { certificateMessage, type Edit, handshakeTypes, openWire } from '../support/http/wire.ts';
import { authority } from '../support/pki/authority.ts';
import { sClient } from '../support/pki/openssl.ts';
import { keyThatCannotSign } from '../support/pki/stolen-key.ts';
import { type ClientOptions, post } from '../support/process/client.ts';
import { clientHello } from '../support/process/client-hello.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { expectOneRecordEach } from '../support/process/records.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

let stage: Stage;
beforeAll(async () => {
  // On the allowlist, so that OpenSSL reads the bytes: the gate refuses some of them from any other address.
  stage = await openStage({ named: true });
});
afterAll(() => stage[Symbol.asyncDispose]());

const versions = ['TLSv1.2', 'TLSv1.3'] as const;
type Version = (typeof versions)[number];
const flags: Readonly<Record<Version, string>> = { 'TLSv1.2': '-tls1_2', 'TLSv1.3': '-tls1_3' };

/** The handshake record of an attempt; attempts must not overlap. */
async function recordOf(attempt: () => Promise<unknown>): Promise<AuditRecord> {
  const record = stage.gateway.next(({ type }) => type === 'handshake');
  await attempt();
  return record;
}

/** A Node client that is refused, sends the gateway's name as SNI, and whose half of the handshake is edited. */
async function attempt(version: Version, options: Partial<ClientOptions> = {}, edit: Edit | null = null) {
  const wire = await openWire(stage.gateway.port, { edit });
  const fixed = { socket: wire, servername: 'localhost', minVersion: version, maxVersion: version };
  stage.connect({ ...fixed, ...options }).catch(() => {});
  await wire.disconnected;
}

const openssl = (version: Version, ...more: string[]) =>
  sClient(stage.gateway, flags[version], '-servername', 'localhost', ...more);

const failed = (version: Version | null, reason: string, detail: RegExp) => ({
  verdict: 'failed',
  reason,
  tls_version: version,
  sni: 'localhost',
  detail: expect.stringMatching(detail),
  anchor: null,
  generation: null,
});

describe.each(versions)('on %s', (version) => {
  it('records the alert of a client that does not know the CA of the server certificate', async () => {
    const record = await recordOf(() => openssl(version, '-verify_return_error', '-verify', '3'));
    expect(record).toMatchObject({
      ...failed(version, 'server_certificate_refused', /alert unknown_ca \(48\)\. .*root CA.*chain file/),
      openssl_code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
      leaf: null,
    });
  });

  it('records that no cipher suite is shared', async () => {
    const only =
      version === 'TLSv1.2' ? ['-cipher', 'AES128-SHA'] : ['-ciphersuites', 'TLS_AES_128_CCM_SHA256'];
    const record = await recordOf(() => openssl(version, ...only));
    // In TLS 1.3 OpenSSL has not read the server name by then.
    const { sni, ...expected } = failed(
      version,
      'no_shared_cipher',
      /cipher suite.*(ECDHE (suites )?with AES-GCM|enable TLS_AES_128_GCM_SHA256)/,
    );
    expect(record).toMatchObject({ ...expected, openssl_code: 'ERR_SSL_NO_SHARED_CIPHER' });
    expect([sni, null]).toContain(record.sni);
  });

  it('records that no application protocol is shared', async () => {
    const record = await recordOf(() => attempt(version, { ALPNProtocols: ['h2'] }));
    expect(record).toMatchObject({
      ...failed(version, 'no_shared_alpn', /neither http\/1\.1 nor http\/1\.0\. .*h2/),
      openssl_code: 'ERR_SSL_NO_APPLICATION_PROTOCOL',
      alpn: null,
    });
  });

  it('records a certificate whose key the client did not prove, and its subject', async () => {
    const { chainPem, keyPem } = stage.leaf;
    const leaf = { chainPem, keyPem: keyThatCannotSign(keyPem) };
    const record = await recordOf(() => attempt(version, { leaf }));
    expect(record).toMatchObject({
      ...failed(version, 'key_not_proven', /CertificateVerify.*\. .*do not belong together/),
      leaf: { subject: 'CN=Example client,OU=Example organisation,O=Example,C=GB' },
    });
  });

  it('accepts a client whose key is Ed25519', async () => {
    const record = await recordOf(async () => {
      const leaf = stage.authority.issueClient({ key: 'ed25519' });
      const versionOnly = { minVersion: version, maxVersion: version };
      expect(statusOf(await stage.send(post(), { leaf, ...versionOnly }))).toBe(200);
    });
    expect(record).toMatchObject({ verdict: 'allow', tls_version: version });
  });

  it.each(['closes', 'resets'])('records a client that %s without an answer', async (way) => {
    const hello = await clientHello({ servername: 'localhost', minVersion: version, maxVersion: version });
    const record = await recordOf(async () => {
      const { transport } = await openWire(stage.gateway.port);
      transport.write(hello);
      // The flight with the certificate.
      await once(transport, 'data');
      if (way === 'closes') transport.end();
      else transport.resetAndDestroy();
    });
    expect(record).toMatchObject({
      // The negotiated version is not known any more once OpenSSL's connection is gone.
      ...failed(null, 'closed_after_certificate', /without an alert.*subjectAltName.* listen\.certificate/),
      openssl_code: 'ECONNRESET',
    });
  });
});

describe('on TLS 1.2, where the client’s handshake is not encrypted,', () => {
  const { certificate, certificateVerify } = handshakeTypes;
  const instead =
    (...ders: Uint8Array[]): Edit =>
    (type) =>
      type === certificate ? certificateMessage(...ders) : undefined;
  const corrupted = (der: Buffer, at: number): Buffer => {
    const copy = Buffer.from(der);
    copy[at] = (copy[at] as number) ^ 0xff;
    return copy;
  };

  it.each<[string, (der: Buffer) => Edit]>([
    ['is cut short', (der) => instead(der.subarray(0, -10))],
    ['is not DER', () => instead(Buffer.alloc(200, 7))],
    ['is empty', () => instead(Buffer.alloc(0))],
    ['has bytes after it', (der) => instead(Buffer.concat([der, Buffer.alloc(3)]))],
    ['is damaged inside', (der) => instead(corrupted(der, 5))],
    ['has an unknown curve', (der) => instead(corrupted(der, der.indexOf('2a8648ce3d030107', 'hex') + 7))],
    ['has a CA after it that is cut short', (der) => instead(der, der.subarray(0, -10))],
    ['has a wrong length', () => (type, body) => (type === certificate ? corrupted(body, 2) : undefined)],
  ])('records a certificate that %s as malformed', async (_what, edit) => {
    const record = await recordOf(() => attempt('TLSv1.2', {}, edit(stage.leaf.der)));
    expect(record).toMatchObject({
      ...failed('TLSv1.2', 'malformed_certificate', /cannot be read\. .*openssl x509/),
      leaf: null,
    });
  });

  it('records a certificate list over 100 KB as too large', async () => {
    const { der } = stage.authority.issuing;
    const many = Array.from({ length: Math.ceil(110_000 / der.length) }, () => der);
    const record = await recordOf(() => attempt('TLSv1.2', {}, instead(stage.leaf.der, ...many)));
    expect(record).toMatchObject(failed('TLSv1.2', 'message_too_large', /longer than.*nothing else/));
  });

  it.each(['P-256', 'P-384', 'rsa-2048'] as const)(
    'records a certificate with %s and a signature of another such key as not proven',
    async (key) => {
      const own = stage.authority.issueClient({ key });
      const other = stage.authority.issueClient({ key });
      const record = await recordOf(() => attempt('TLSv1.2', { leaf: own }, instead(other.der)));
      expect(record).toMatchObject({ ...failed('TLSv1.2', 'key_not_proven', /CertificateVerify/), leaf: {} });
    },
  );

  it.each<[string, (signature: Buffer) => Buffer]>([
    ['has one bit changed', (signature) => corrupted(signature, signature.length - 1)],
    ['is empty', (signature) => Buffer.concat([signature.subarray(0, 2), Buffer.alloc(2)])],
    ['is not DER', (signature) => Buffer.concat([signature.subarray(0, 4), signature.subarray(4).fill(9)])],
  ])('records the key as not proven when the signature %s', async (_what, change) => {
    const edit: Edit = (type, body) => (type === certificateVerify ? change(Buffer.from(body)) : undefined);
    const record = await recordOf(() => attempt('TLSv1.2', {}, edit));
    expect(record).toMatchObject(failed('TLSv1.2', 'key_not_proven', /CertificateVerify/));
  });

  it.each(['rsa-2048', 'ed25519', 'secp256k1'] as const)(
    'records a certificate with %s and a signature of another kind of key as unsupported',
    async (key) => {
      const other = stage.authority.issueClient({ key });
      const record = await recordOf(() => attempt('TLSv1.2', {}, instead(other.der)));
      expect(record).toMatchObject(
        failed('TLSv1.2', 'signature_not_supported', /does not accept.*same kind/),
      );
    },
  );
});

describe('records a client that', () => {
  it('offers no key exchange group of the gateway', async () => {
    const record = await recordOf(() => openssl('TLSv1.3', '-groups', 'ffdhe8192'));
    expect(record).toMatchObject(failed('TLSv1.3', 'no_shared_group', /key exchange group.*X25519/));
  });

  it('offers no signature scheme for the key of the server certificate', async () => {
    const record = await recordOf(() => openssl('TLSv1.3', '-sigalgs', 'RSA-PSS+SHA256'));
    expect(record).toMatchObject(
      failed('TLSv1.3', 'no_shared_signature', /one with an EC key and one with an RSA key/),
    );
  });

  it.each(['-tls1', '-tls1_1'])('offers no version above %s', async (flag) => {
    const record = await recordOf(() => sClient(stage.gateway, flag, '-cipher', 'ALL@SECLEVEL=0'));
    const newest = flag === '-tls1' ? 'TLSv1' : 'TLSv1.1';
    expect(record).toMatchObject({
      reason: 'protocol_version',
      tls_version: newest,
      cipher: null,
      detail: expect.stringMatching(`^the client offers ${newest} at most\\. `),
    });
  });

  it('signals a version fallback after a failed attempt (RFC 7507)', async () => {
    const record = await recordOf(() => openssl('TLSv1.2', '-fallback_scsv'));
    expect(record).toMatchObject({ reason: 'protocol_version', detail: expect.stringMatching(/RFC 7507/) });
  });
});

describe('a client that speaks HTTP without TLS', () => {
  it.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])(
    'gets an HTTP response: %s',
    async (method) => {
      let answer = '';
      let id: unknown;
      const record = await recordOf(async () => {
        const asked = request({ port: stage.gateway.port, host: '127.0.0.1', method, path: '/ehi?pan=1' });
        asked.on('error', () => {}).end(method === 'GET' ? undefined : Buffer.alloc(20_000, 'x'));
        const [response] = await once(asked, 'response');
        expect(response.statusCode).toBe(400);
        id = response.headers['x-request-id'];
        answer = await text(response);
      });
      expect(answer).toBe('The plain HTTP request was sent to HTTPS port\n');
      expect(record).toMatchObject({
        verdict: 'failed',
        reason: 'plain_http',
        conn_id: id,
        tls_version: null,
        sni: null,
        detail: expect.stringMatching(/https:\/\//),
      });
    },
  );

  it('gets no response when rejectWith is close', async () => {
    await using silent = await openStage({ config: { listen: { rejectWith: 'close' } } });
    const wire = await openWire(silent.gateway.port);
    const bytes: Buffer[] = [];
    wire.on('data', (piece: Buffer) => bytes.push(piece));
    wire.toGateway(Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n', 'latin1'));
    await wire.disconnected;
    expect(Buffer.concat(bytes)).toHaveLength(0);
    const record = await silent.gateway.audit(({ type }) => type === 'handshake');
    expect(record).toMatchObject({ reason: 'plain_http' });
  });
});

describe('the detail of a denial', () => {
  it('distinguishes a CA with the name of an anchor’s CA from a CA that no anchor contains', async () => {
    const refusedBy = async (leaf: ClientOptions['leaf']) => {
      const record = await recordOf(() => stage.send(post(), { leaf }));
      expect(record.reason).toBe('untrusted');
      return record.detail;
    };
    expect(await refusedBy(authority().issueClient())).toMatch(
      /^anchor example holds a CA of the same name with another key/,
    );
    expect(await refusedBy(authority({ name: 'Other' }).issueClient())).toMatch(
      /^no trust anchor holds the CA that issued the leaf; anchors: example\. Issuer: CN=Other Issuing CA/,
    );
  });

  it('names the field that does not match, with both values', async () => {
    const leaf = stage.authority.issueClient({ subject: { OU: 'Another', CN: 'a' } });
    const record = await recordOf(() => stage.send(post(), { leaf }));
    expect(record).toMatchObject({
      reason: 'match_mismatch',
      detail: expect.stringMatching(
        /^clients\.match: the leaf’s organizationalUnit is "Another", not "Example organisation"\. .*Client: /,
      ),
    });
  });
});

// Each connection of these tests has one handshake record.
afterAll(async () => {
  await expectOneRecordEach(stage.gateway);
});
