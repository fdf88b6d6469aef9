/** Each way in which a handshake fails: one record each, with a reason of its own and a detail that says what to do. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { purposes } from '../../src/issuing/development.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { certificateMessage, type Edit, handshakeTypes, openWire } from '../support/http/wire.ts';
import { authority, type Leaf } from '../support/pki/authority.ts';
import { sClient } from '../support/pki/openssl.ts';
import { keyThatCannotSign } from '../support/pki/stolen-key.ts';
import { type ClientOptions, post } from '../support/process/client.ts';
import { clientHello } from '../support/process/client-hello.ts';
import type { AuditRecord } from '../support/process/gateway.ts';
import { rawClient, type Step } from '../support/process/raw-client.ts';
import { beginRawHandshake } from '../support/process/raw-handshake.ts';
import { openStage, type Stage } from '../support/process/stage.ts';

const hour = 3_600_000;
const pki = authority();
const unpinned = authority({ name: 'Unpinned' });
const unknownStatus = authority({ name: 'Unknown status' });
const stranger = authority({ name: 'Stranger' });
const revoked = pki.issueClient();
/** Made before the clients run, since making RSA keys stops them. */
const rsa = pki.issueClient({ key: 'rsa-2048' });
const shortRsa = pki.issueClient({ key: 'rsa-1024' });
const pinOf = ({ der }: { der: Buffer }) => `sha256/${parseCertificate(der).spkiPin}`;

let stage: Stage;
let hello: Buffer;
let hello12: Buffer;
beforeAll(async () => {
  stage = await openStage({
    authority: pki,
    files: {
      'unpinned.pem': unpinned.anchorPem,
      'unknown.pem': unknownStatus.anchorPem,
      'own.crl': pki.crl({ revoked: [{ serial: revoked }] }).pem,
      'server.crl': pki.crl().pem,
    },
    config: {
      listen: { proxyProtocol: { trusted: ['127.3.0.0/16'] } },
      timeouts: { handshake: '6s' },
      limits: { connectionsPerAddress: 3, handshakeRate: 5, smallRecords: 100, certificateBytes: '4KiB' },
      trust: {
        anchors: [
          { name: 'example', files: ['anchor.pem'], revocation: { scope: 'leaf', crl: ['own.crl'] } },
          { name: 'unpinned', files: ['unpinned.pem'] },
          {
            name: 'unknown',
            files: ['unknown.pem'],
            revocation: { scope: 'leaf', crl: ['https://127.0.0.1:1/none.crl'], firstContact: '10ms' },
          },
        ],
        cacheDir: 'trust',
      },
      clients: {
        // Listed: 127.2.0.0/16. All others are unlisted.
        allowlist: ['0.0.0.0/0', '127.2.0.0/16'],
        match: { organizationalUnit: parseCertificate(pki.issueClient().der).organizationalUnits[0] },
        pins: [pinOf(pki.issuing), pinOf(unknownStatus.issuing)],
      },
    },
  });
  const offer = { servername: 'gateway.example', ALPNProtocols: ['http/1.1'] };
  hello = await clientHello(offer);
  hello12 = await clientHello({ ...offer, maxVersion: 'TLSv1.2' });
});
afterAll(() => stage[Symbol.asyncDispose]());

interface Way {
  readonly reason: string;
  /** Of the detail. */
  readonly says: RegExp;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly attempt: (localAddress: string) => Promise<unknown>;
}

const raw = (localAddress: string, ...steps: Step[]) =>
  rawClient({ port: stage.gateway.port, localAddress }, ...steps);
const openssl = (localAddress: string, ...flags: string[]) =>
  sClient(stage.gateway, '-bind', `${localAddress}:0`, '-servername', 'gateway.example', ...flags);
const ask = async (localAddress: string, options: Partial<ClientOptions>) => {
  await stage.send(post(), { localAddress, ciphers: 'DEFAULT@SECLEVEL=0', ...options });
};
const edited = async (localAddress: string, edit: Edit | null, options: Partial<ClientOptions> = {}) => {
  const socket = await openWire(stage.gateway.port, { edit, localAddress });
  stage.connect({ socket, servername: 'gateway.example', maxVersion: 'TLSv1.2', ...options }).catch(() => {});
  await socket.disconnected;
};
/** A connection that came later is recorded: the one before it was accepted. */
let later = 0;
const accepted = async () => {
  const from = `127.2.9.${++later}`;
  await recordOf(from, () => raw(from, 'END'));
};
const alert = (code: number) => Buffer.of(21, 3, 3, 0, 2, 2, code);
const record = (type: number, length: number) =>
  Buffer.concat([Buffer.of(type, 3, 3, 0, length), Buffer.alloc(length, 7)]);

const known13 = { tls_version: 'TLSv1.3', sni: 'gateway.example' };
const known12 = { tls_version: 'TLSv1.2', sni: 'gateway.example' };
const unknown = { tls_version: null, sni: null, alpn: null };

/** What TLS and TCP do. */
const failures: Readonly<Record<string, Way>> = {
  'closes before its first byte': {
    reason: 'closed_silent',
    says: /^the client closed the connection before.*health check/,
    fields: unknown,
    attempt: (from) => raw(from, 'END'),
  },
  'resets before its first byte': {
    reason: 'closed_silent',
    says: /^the client reset the connection \(TCP RST\) before it sent a byte/,
    attempt: (from) => raw(from, accepted, 'RESET'),
  },
  'sends nothing': {
    reason: 'timeout_silent',
    says: /sent nothing/,
    fields: unknown,
    attempt: (from) => raw(from),
  },
  'closes within its ClientHello': {
    reason: 'closed_before_certificate',
    says: /^the client closed .* before the gateway sent its certificate, after it had sent 100 bytes/,
    attempt: (from) => raw(from, hello.subarray(0, 100), 'END'),
  },
  'stops within its ClientHello': {
    reason: 'timeout_client_hello',
    says: /sent 100 bytes.*packet loss/,
    attempt: (from) => raw(from, hello.subarray(0, 100)),
  },
  'closes after the gateway’s certificate': {
    reason: 'closed_after_certificate',
    says: /^the client closed the connection without an alert.*trust the root CA/,
    fields: { ...known13, alpn: 'http/1.1' },
    attempt: (from) => raw(from, hello, 'ANSWER', 'END'),
  },
  'resets after the gateway’s certificate': {
    reason: 'closed_after_certificate',
    says: /^the client reset the connection \(TCP RST\) without an alert/,
    fields: { ...known12, alpn: 'http/1.1' },
    attempt: (from) => raw(from, hello12, 'ANSWER', 'RESET'),
  },
  'does not answer the gateway’s certificate': {
    reason: 'handshake_timeout',
    says: /it sent nothing more than its ClientHello, \d+ bytes in all/,
    fields: { ...known13, alpn: 'http/1.1' },
    attempt: (from) => raw(from, hello, 'ANSWER'),
  },
  'stops after a part of its answer': {
    reason: 'handshake_timeout',
    says: /a part of its answer came/,
    fields: known12,
    attempt: (from) => raw(from, hello12, 'ANSWER', record(22, 200).subarray(0, 150)),
  },
  'closes after a part of its answer': {
    reason: 'closed_before_finished',
    says: /answered the gateway’s certificate and closed.*own log/,
    fields: known12,
    attempt: (from) => raw(from, hello12, 'ANSWER', record(22, 200).subarray(0, 150), 'END'),
  },
  'speaks HTTP without TLS': {
    reason: 'plain_http',
    says: /https:\/\//,
    fields: { ...unknown, openssl_code: 'ERR_SSL_HTTP_REQUEST' },
    attempt: (from) => raw(from, 'GET /ehi HTTP/1.1\r\nHost: a\r\n\r\n'),
  },
  'takes the gateway for an HTTP proxy': {
    reason: 'plain_http',
    says: /CONNECT.*https_proxy/,
    fields: { openssl_code: 'ERR_SSL_HTTPS_PROXY_REQUEST' },
    attempt: (from) => raw(from, 'CONNECT a.example:443 HTTP/1.1\r\n\r\n'),
  },
  'sends garbage': {
    reason: 'not_tls',
    says: /not TLS.*port scan/,
    attempt: (from) => raw(from, Buffer.alloc(64, 0xff)),
  },
  'offers TLS 1.1 at most': {
    reason: 'protocol_version',
    says: /^the client offers TLSv1\.1 at most\. .*enable TLS 1\.2/,
    fields: { tls_version: 'TLSv1.1' },
    attempt: (from) => openssl(from, '-tls1_1', '-cipher', 'ALL@SECLEVEL=0'),
  },
  'offers other groups on TLS 1.3': {
    reason: 'no_shared_group',
    says: /group.*X25519/,
    fields: known13,
    attempt: (from) => openssl(from, '-tls1_3', '-groups', 'ffdhe8192'),
  },
  'accepts other signatures on TLS 1.3': {
    reason: 'no_shared_signature',
    says: /one with an EC key and one with an RSA key/,
    fields: known13,
    attempt: (from) => openssl(from, '-tls1_3', '-sigalgs', 'RSA-PSS+SHA256'),
  },
  'accepts other signatures on TLS 1.2': {
    reason: 'no_shared_signature',
    says: /one with an EC key and one with an RSA key/,
    fields: known12,
    attempt: (from) => openssl(from, '-tls1_2', '-sigalgs', 'ECDSA+SHA1', '-cipher', 'DEFAULT@SECLEVEL=0'),
  },
  'offers HTTP/2 only': {
    reason: 'no_shared_alpn',
    says: /offer http\/1\.1/,
    fields: { ...known13, alpn: null },
    attempt: (from) => openssl(from, '-alpn', 'h2'),
  },
  'sends a ClientHello that cannot be read': {
    reason: 'malformed_client_hello',
    says: /\(OpenSSL: length too short\)/,
    attempt: (from) => raw(from, Buffer.from('160301000401000000', 'hex')),
  },
  'sends data in place of a ClientHello': {
    reason: 'unexpected_message',
    says: /\(OpenSSL: unexpected message\)/,
    attempt: (from) => raw(from, record(23, 32)),
  },
  'sends a record that does not decrypt': {
    reason: 'record_damaged',
    says: /cannot be decrypted.*altered/,
    fields: known13,
    attempt: (from) => raw(from, hello, 'ANSWER', record(23, 32)),
  },
  'sends a wrong Finished': {
    reason: 'handshake_altered',
    says: /middlebox/,
    attempt: async (localAddress) => {
      await using begun = await beginRawHandshake({ port: stage.gateway.port, localAddress });
      const finished = Buffer.concat([Buffer.of(20, 0, 0, 32), Buffer.alloc(32)]);
      begun.socket.write(
        Buffer.concat([begun.seal(Buffer.of(11, 0, 0, 4, 0, 0, 0, 0)), begun.seal(finished)]),
      );
      await stage.gateway.audit(({ source_address }) => source_address === localAddress);
    },
  },
  'does not trust the gateway’s CA': {
    reason: 'server_certificate_refused',
    says: /unknown_ca \(48\).*chain file/,
    fields: known13,
    attempt: (from) => openssl(from, '-tls1_3', '-verify_return_error', '-verify', '3'),
  },
  'gives up with an alert': {
    reason: 'client_alert',
    says: /internal_error \(80\).*own log/,
    fields: known12,
    attempt: (from) => raw(from, hello12, 'ANSWER', alert(80)),
  },
  'sends a damaged certificate': {
    reason: 'malformed_certificate',
    says: /cannot be read.*openssl x509/,
    fields: known12,
    attempt: (from) =>
      edited(from, (type) =>
        type === handshakeTypes.certificate ? certificateMessage(stage.leaf.der.subarray(0, -10)) : undefined,
      ),
  },
  'sends a certificate of another kind than its key': {
    reason: 'signature_not_supported',
    says: /same kind/,
    fields: known12,
    attempt: (from) =>
      edited(from, (type) => (type === handshakeTypes.certificate ? certificateMessage(rsa.der) : undefined)),
  },
  'does not have the key of its certificate': {
    reason: 'key_not_proven',
    says: /do not belong together/,
    fields: { ...known12, leaf: { subject: 'CN=Example client,OU=Example organisation,O=Example,C=GB' } },
    attempt: (from) => {
      const { chainPem, keyPem } = stage.leaf;
      return edited(from, null, { leaf: { chainPem, keyPem: keyThatCannotSign(keyPem) } });
    },
  },
  'sends 110 KB of certificates': {
    reason: 'message_too_large',
    says: /nothing else/,
    attempt: (from) => {
      const { der } = pki.issuing;
      const many = Array.from({ length: Math.ceil(110_000 / der.length) }, () => der);
      return edited(from, (type) =>
        type === handshakeTypes.certificate ? certificateMessage(stage.leaf.der, ...many) : undefined,
      );
    },
  },
};

/** What the first bytes explain: at once from an unlisted address, from a listed one at the second attempt. */
const explained: Readonly<Record<string, Way & { readonly first: string }>> = {
  'sends an HTTP/2 preface': {
    ...{ first: 'not_tls', reason: 'plain_http2', says: /h2c/ },
    attempt: (from) => raw(from, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  },
  'sends a PROXY header (v1)': {
    ...{ first: 'not_tls', reason: 'unexpected_proxy_header', says: /listen\.proxyProtocol\.trusted/ },
    attempt: (from) => raw(from, 'PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n'),
  },
  'sends a PROXY header (v2)': {
    ...{ first: 'not_tls', reason: 'unexpected_proxy_header', says: /listen\.proxyProtocol\.trusted/ },
    attempt: (from) => raw(from, '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c'),
  },
  'speaks SSH': {
    ...{ first: 'not_tls', reason: 'other_protocol', says: /those of SSH without TLS/ },
    attempt: (from) => raw(from, 'SSH-2.0-OpenSSH_9.7\r\n'),
  },
  'speaks SMTP': {
    ...{ first: 'not_tls', reason: 'other_protocol', says: /those of SMTP without TLS/ },
    attempt: (from) => raw(from, 'EHLO mail.example\r\n'),
  },
  'speaks ISO 8583': {
    ...{ first: 'not_tls', reason: 'other_protocol', says: /those of ISO 8583 without TLS/ },
    attempt: (from) => raw(from, Buffer.concat([Buffer.of(0, 20), Buffer.from('08008220000000000000')])),
  },
  'sends an SSL 2.0 ClientHello': {
    ...{
      first: 'protocol_version',
      reason: 'sslv2_hello',
      says: /SSLv2Hello/,
      fields: { tls_version: null },
    },
    attempt: (from) =>
      raw(
        from,
        Buffer.from(
          `802e0100020015000000100100800200800300800400800500800600400700c0${'00'.repeat(16)}`,
          'hex',
        ),
      ),
  },
  'offers other cipher suites': {
    ...{
      first: 'no_shared_cipher',
      reason: 'no_shared_cipher',
      says: /offers only cipher suite TLS_RSA_WITH_AES_128_CBC_SHA\. /,
    },
    fields: known12,
    attempt: (from) => openssl(from, '-tls1_2', '-cipher', 'AES128-SHA'),
  },
  'offers other cipher suites on TLS 1.3': {
    ...{
      first: 'no_shared_cipher',
      reason: 'no_shared_cipher',
      says: /offers for TLS 1\.3 only cipher suite TLS_AES_128_CCM_SHA256/,
    },
    fields: known13,
    attempt: (from) => openssl(from, '-tls1_3', '-ciphersuites', 'TLS_AES_128_CCM_SHA256'),
  },
  'offers other groups on TLS 1.2': {
    ...{
      first: 'no_shared_cipher',
      reason: 'no_shared_group',
      says: /only key exchange groups brainpoolP256r1, secp256k1/,
    },
    fields: known12,
    attempt: (from) => openssl(from, '-tls1_2', '-groups', 'brainpoolP256r1:secp256k1'),
  },
  'names no groups on TLS 1.2': {
    ...{ first: 'no_shared_cipher', reason: 'no_shared_group', says: /names no key exchange group/ },
    attempt: (from) => openssl(from, '-tls1_2', '-groups', 'ffdhe2048'),
  },
  'offers no group of the certificate on TLS 1.2': {
    ...{
      first: 'no_shared_cipher',
      reason: 'no_shared_group',
      says: /without the curve of listen\.certificate/,
    },
    attempt: (from) => openssl(from, '-tls1_2', '-groups', 'X25519'),
  },
  'offers suites for RSA certificates only': {
    ...{
      first: 'no_shared_cipher',
      reason: 'no_shared_signature',
      says: /only cipher suites for a certificate with an RSA key/,
    },
    attempt: (from) => openssl(from, '-tls1_2', '-cipher', 'ECDHE-RSA-AES128-GCM-SHA256'),
  },
};

/** What the gateway thinks of the client’s certificate. */
const denials: Readonly<Record<string, Omit<Way, 'attempt'> & { readonly leaf: () => Leaf | undefined }>> = {
  'has no certificate': {
    reason: 'no_certificate',
    says: /Client: configure a certificate/,
    leaf: () => undefined,
  },
  'has a certificate of another CA': {
    ...{
      reason: 'untrusted',
      says: /^no trust anchor holds the CA.*CN=Stranger Issuing CA.*Gateway: .*anchor/,
    },
    leaf: () => stranger.issueClient(),
  },
  'has an expired certificate': {
    ...{
      reason: 'expired',
      says: /^CN=Example client.* expired at 20.*Client: configure a renewed certificate/,
    },
    leaf: () => pki.issueClient({ notBefore: Date.now() - 2 * hour, notAfter: Date.now() - hour }),
  },
  'has a certificate that is not valid yet': {
    ...{ reason: 'not_yet_valid', says: /is not valid before 20.*clock of the gateway/ },
    leaf: () => pki.issueClient({ notBefore: Date.now() + hour, notAfter: Date.now() + 2 * hour }),
  },
  'has a certificate for servers': {
    ...{ reason: 'wrong_purpose', says: /clientAuth.*TLS client authentication/ },
    leaf: () => pki.issueClient({ extendedKeyUsage: [purposes.serverAuth] }),
  },
  'presents the CA’s certificate': {
    ...{ reason: 'ca_as_leaf', says: /own certificate and key/ },
    leaf: () => ({ ...stage.leaf, keyPem: pki.issuing.keyPem, chainPem: pki.issuing.pem + pki.root.pem }),
  },
  'has a short RSA key': {
    ...{ reason: 'weak_key', says: /1024 bits.*RSA key of 2048 bits/ },
    leaf: () => shortRsa,
  },
  'has a certificate signed with SHA-1': {
    ...{ reason: 'weak_signature', says: /SHA-1.*SHA-256/ },
    leaf: () => pki.issueClient({ hash: 'sha1' }),
  },
  'has a certificate with an unknown critical extension': {
    ...{ reason: 'unsupported_extension', says: /1\.3\.6\.1\.4\.1\.99999\.1.*without that extension/ },
    leaf: () =>
      pki.issueClient({
        extensions: [{ oid: '1.3.6.1.4.1.99999.1', critical: true, value: Buffer.of(5, 0) }],
      }),
  },
  'has a large certificate': {
    ...{ reason: 'certificate_too_large', says: /limits\.certificateBytes/ },
    leaf: () =>
      pki.issueClient({
        extensions: [
          {
            oid: '1.3.6.1.4.1.99999.2',
            critical: false,
            value: Buffer.concat([Buffer.from('04821388', 'hex'), Buffer.alloc(5000)]),
          },
        ],
      }),
  },
  'has a key that is not pinned': {
    ...{ reason: 'pin_mismatch', says: /clients\.pins.*leaf\.pin/ },
    leaf: () => unpinned.issueClient(),
  },
  'is not the expected one': {
    ...{ reason: 'match_mismatch', says: /"Another", not "Example organisation"\. .*clients\.match/ },
    leaf: () => pki.issueClient({ subject: { OU: 'Another', CN: 'a' } }),
  },
  'has a revoked certificate': {
    ...{ reason: 'revoked', says: /own\.crl|CRL.*new certificate/ },
    leaf: () => revoked,
  },
  'has a certificate whose status is unknown': {
    ...{ reason: 'revocation_unknown', says: /127\.0\.0\.1:1.*revocation\.onUnknown/ },
    leaf: () => unknownStatus.issueClient({ subject: { OU: 'Example organisation', CN: 'a' } }),
  },
};

/** The handshake records of this address, which is unique to the test: as many as connections. */
async function recordsOf(localAddress: string, count: number): Promise<AuditRecord[]> {
  const all = () =>
    stage.gateway
      .records()
      .filter(({ type, source_address }) => type === 'handshake' && source_address === localAddress);
  await stage.gateway.audit(() => all().length >= count);
  expect(all()).toHaveLength(count);
  return all();
}

/** The record of the attempt, the `count`th of this address. */
async function recordOf(localAddress: string, attempt: (from: string) => Promise<unknown>, count = 1) {
  await attempt(localAddress);
  return (await recordsOf(localAddress, count))[count - 1] as AuditRecord;
}

/** A stranger reads what happened, and what to do. */
function expectExplained(record: AuditRecord, { reason, says, fields = {} }: Omit<Way, 'attempt'>): void {
  expect(record).toMatchObject({ reason, ...fields, detail: expect.stringMatching(says) });
  expect(record.detail).toMatch(/ (Client|Gateway): /);
  expect(record.detail).toMatch(/\.$/);
}

let listed = 0;
let unlisted = 0;

describe.concurrent('a listed client that', () => {
  it.each(Object.entries(failures))('%s', async (_way, way) => {
    const record = await recordOf(`127.2.0.${++listed}`, way.attempt);
    expectExplained(record, way);
    expect(record).toMatchObject({ verdict: 'failed', anchor: null, generation: null });
  });

  it.each(Object.entries(explained))('%s is named at its second attempt', async (_way, { first, ...way }) => {
    const localAddress = `127.2.1.${++listed}`;
    expect(await recordOf(localAddress, way.attempt)).toMatchObject({ verdict: 'failed', reason: first });
    expectExplained(await recordOf(localAddress, way.attempt, 2), way);
  });
});

describe.concurrent('an unlisted client that', () => {
  const both = Object.entries(failures).filter(
    ([, { reason }]) => reason !== 'message_too_large' && reason !== 'malformed_certificate',
  );
  it.each([...both, ...Object.entries(explained)])('%s', async (_way, way) => {
    expectExplained(await recordOf(`127.1.0.${++unlisted}`, way.attempt), way);
  });

  it.each(Object.entries(denials))('%s', async (_way, { leaf, ...way }) => {
    const record = await recordOf(`127.1.1.${++unlisted}`, (from) => ask(from, { leaf: leaf() }));
    expectExplained(record, way);
    expect(record).toMatchObject({ verdict: 'deny', tls_version: 'TLSv1.3' });
  });

  it('sends more certificates than are verified for it', async () => {
    const many = pki.issueClient();
    const leaf = { ...many, chainPem: many.chainPem + pki.issuing.pem.repeat(4) };
    const way = {
      reason: 'certificates_refused',
      says: /^the client sent \d+ certificates \(at most 4.*no option changes .*list its address in clients\.allowlist/,
    };
    const record = await recordOf('127.1.2.1', (from) => ask(from, { leaf }).catch(() => {}));
    expectExplained(record, way);
  });

  it('opens more connections than one address may', async () => {
    await Promise.all([1, 2, 3, 4].map(() => raw('127.1.2.2')));
    const records = await recordsOf('127.1.2.2', 4);
    const denied = records.filter(({ verdict }) => verdict === 'deny') as [AuditRecord];
    expect(denied).toHaveLength(1);
    expectExplained(denied[0], {
      reason: 'connections_per_address',
      says: /^limits\.connectionsPerAddress is 3, and the address has as many connections open; .*raise limits\.connectionsPerAddress, or list its address in clients\.allowlist/,
    });
  });

  it('connects more often than one address may', async () => {
    // At the same time, so that they come within a second on a slow machine too.
    await Promise.all(Array.from({ length: 20 }, () => raw('127.1.2.3', 'END')));
    const denied = (await recordsOf('127.1.2.3', 20)).find(({ reason }) => reason === 'handshake_rate');
    expectExplained(denied as AuditRecord, {
      reason: 'handshake_rate',
      says: /^limits\.handshakeRate is 5, and the address began more TLS handshakes in a second; .*HTTP keep-alive.*raise limits\.handshakeRate/,
    });
  });
});

describe.concurrent('a load balancer that', () => {
  it('sends no PROXY header', async () => {
    const way = { reason: 'proxy_header', says: /Gateway: if the address is your load balancer/ };
    expectExplained(await recordOf('127.3.0.1', (from) => raw(from, hello)), way);
  });

  it('names an address that is not on the allowlist', async () => {
    await raw('127.3.0.2', 'PROXY TCP6 2001:db8::7 2001:db8::8 1 2\r\n');
    const record = await stage.gateway.audit(({ source_address }) => source_address === '2001:db8::7');
    expectExplained(record, { reason: 'address_refused', says: /clients\.allowlist/ });
    expect(record).toMatchObject({ proxy_address: '127.3.0.2' });
  });
});

/** Alerts that a client sends in the clear right after the gateway’s flight. */
const alerts: Readonly<Record<string, number>> = {
  unexpected_message: 10,
  bad_record_mac: 20,
  handshake_failure: 40,
  no_certificate: 41,
  bad_certificate: 42,
  unsupported_certificate: 43,
  certificate_revoked: 44,
  certificate_expired: 45,
  certificate_unknown: 46,
  illegal_parameter: 47,
  unknown_ca: 48,
  access_denied: 49,
  decode_error: 50,
  decrypt_error: 51,
  protocol_version: 70,
  insufficient_security: 71,
  internal_error: 80,
  user_canceled: 90,
  unsupported_extension: 110,
  unrecognized_name: 112,
  bad_certificate_status_response: 113,
  certificate_required: 116,
};

describe.concurrent.each([
  ['TLS 1.2', () => hello12, '127.2.2'],
  ['TLS 1.3', () => hello, '127.2.3'],
] as const)('an alert of a client on %s', (version, bytes, network) => {
  // OpenSSL ignores user_canceled in TLS 1.3: close_notify follows it (RFC 8446 §6.1).
  const heeded = Object.entries(alerts).filter(([name]) => version === 'TLS 1.2' || name !== 'user_canceled');
  it.each(heeded)('is named in the record: %s (%i)', async (name, code) => {
    const record = await recordOf(`${network}.${code}`, (from) => raw(from, bytes(), 'ANSWER', alert(code)));
    const isOfCertificate = [42, 43, 44, 45, 46, 48, 113].includes(code);
    expectExplained(record, {
      reason: isOfCertificate ? 'server_certificate_refused' : 'client_alert',
      says: new RegExp(`with the TLS alert ${name} \\(${code}\\)\\. `),
      fields: { sni: 'gateway.example' },
    });
  });
});

describe.concurrent.each(['-tls1_2', '-tls1_3'])('s_client %s', (version) => {
  const day = 86_400;
  const now = Math.floor(Date.now() / 1000);
  const network = version === '-tls1_2' ? '127.2.4' : '127.2.5';
  const trusted = () => [
    '-CAfile',
    join(stage.gateway.folder, 'anchor.pem'),
    '-verify_return_error',
    '-verify',
    '5',
  ];
  it.each<[string, string[], string]>([
    ['that calls another host name', ['-verify_hostname', 'other.example'], 'bad_certificate (42)'],
    ['whose clock is years ahead', ['-attime', `${now + 36_500 * day}`], 'certificate_expired (45)'],
    ['whose clock is years behind', ['-attime', `${now - 36_500 * day}`], 'bad_certificate (42)'],
    ['that takes it for another use', ['-purpose', 'crlsign'], 'unsupported_certificate (43)'],
  ])('%s sends an alert that its record names', async (_who, flags, name) => {
    const localAddress = `${network}.${++listed}`;
    const record = await recordOf(localAddress, (from) => openssl(from, version, ...trusted(), ...flags));
    expect(record).toMatchObject({
      reason: 'server_certificate_refused',
      detail: expect.stringContaining(name),
    });
  });
});

// One record for each connection.
afterAll(async () => {
  expect(await stage.gateway.stop()).toEqual({ code: 0 });
  const ids = stage.gateway.records().flatMap(({ type, conn_id }) => (type === 'handshake' ? [conn_id] : []));
  expect(new Set(ids).size).toBe(ids.length);
  const lines = process.env.EHI_FAILURE_LINES;
  if (lines !== undefined) await writeFile(lines, stage.gateway.stdout);
});
