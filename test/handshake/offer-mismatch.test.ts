/** ClientHellos that share too little with the gateway: OpenSSL refuses them, and the record says what is missing. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readClientHello } from '../../src/handshake/client-hello.ts';
import { failure } from '../../src/handshake/failure-reasons.ts';
import { Listener } from '../../src/handshake/listener.ts';
import { explainMismatch, type ServerKey } from '../../src/handshake/offer-mismatch.ts';
import { type ClientHelloOptions, writeClientHello, writeHelloRecord } from '../../src/probe/client-hello.ts';
import { AddressShares } from '../../src/source/address-counts.ts';
import { Meter } from '../../src/telemetry/meter.ts';
import { eventually } from '../support/eventually.ts';
import { authority } from '../support/pki/authority.ts';
import { snapshotOf } from '../support/process/snapshot.ts';

/** Has a key on P-256. */
const pki = authority();
const lines: Readonly<Record<string, unknown>>[] = [];
let listener: Listener;
let port: number;
beforeAll(async () => {
  const shares = new AddressShares();
  listener = new Listener({
    listen: { address: '127.0.0.1', port: 0, reusePort: false },
    snapshot: snapshotOf(pki),
    recorder: {
      meter: new Meter(),
      audit: (line) => lines.push(JSON.parse(String(line))),
      span: () => {},
      log: () => {},
      logFailure: () => {},
    },
    // Unlisted, so that the gateway has the first bytes.
    admit: (inbound) => {
      const share = shares.reserve(inbound.address, { connections: 100, unfinished: 100 });
      if (typeof share === 'object') inbound.share = share;
      return true;
    },
    onSecure: (_, socket) => socket.destroy(),
    describeLeaf: () => null,
  });
  ({ port } = await listener.open());
});
afterAll(async () => {
  listener.close();
  listener.abort();
  await listener.empty();
});

/** Values that clients add at random (RFC 8701), and signals (RFC 5746 §3.3, RFC 7507 §2). */
const [random, renegotiation, fallback] = [0x1a1a, 0x00ff, 0x5600];
const x25519 = 29;
const base = {
  ...{ suites: [0x1301, 0xc02b], servername: 'gateway.example', groups: [x25519, 23], alpn: [] },
  ...{ signatureSchemes: [0x0403], shares: [{ group: x25519, key: Buffer.alloc(32, 9) }] },
} as const;
const only12 = { ...base, version: 'TLS 1.2', suites: [0xc02b] } as const;
const only13 = { ...base, version: 'TLS 1.3', suites: [0x1301] } as const;

const hello = (options: ClientHelloOptions, edit = (message: Buffer) => message) =>
  writeHelloRecord(edit(writeClientHello(options)), 'TLS 1.2');
/** Replaces the one value of supported_versions. */
const offering = (version: string) => (message: Buffer) =>
  Buffer.from(message.toString('hex').replace('002b0003020304', `002b000302${version}`), 'hex');
const withLegacyVersion = (minor: number) => (message: Buffer) => {
  message[5] = minor;
  return message;
};

async function recordOf(bytes: Buffer) {
  const socket = connect({ port, host: '127.0.0.1' }).on('error', () => {});
  await once(socket, 'connect');
  const { localPort } = socket;
  socket.resume().write(bytes);
  const own = () => lines.find(({ source_port: source }) => source === localPort);
  const line = await eventually(own, (found) => found !== undefined);
  socket.destroy();
  return line;
}

describe.concurrent('a ClientHello', () => {
  it.each<[string, Buffer, string, RegExp]>([
    [
      'with signals and random values for cipher suites of TLS 1.3',
      hello({ ...only13, suites: [random, renegotiation, fallback] }),
      'no_shared_cipher',
      /^the client offers no cipher suite\. /,
    ],
    [
      'with random values for cipher suites of TLS 1.2',
      hello({ ...only12, suites: [random] }),
      'no_shared_cipher',
      /^the client offers no cipher suite\. /,
    ],
    [
      'that offers TLS 1.3 with the cipher suites of TLS 1.2',
      hello({ ...only13, suites: [0xc02b, 0xc02f] }),
      'no_shared_cipher',
      /^the client offers TLS 1\.3, and only cipher suites of older versions: TLS_ECDHE_ECDSA_.*Client: enable TLS_AES_128_GCM_SHA256, or disable TLS 1\.3/,
    ],
    [
      'that offers TLS 1.2 with the cipher suites of TLS 1.3',
      hello({ ...only12, suites: [0x1301] }),
      'no_shared_cipher',
      /^the client offers TLS 1\.2 at most, and only cipher suites of TLS 1\.3: TLS_AES_128_GCM_SHA256\. /,
    ],
    [
      'that names TLS 1.3 where only TLS 1.2 can be named',
      hello({ ...only12, suites: [0x1301] }, withLegacyVersion(4)),
      'no_shared_cipher',
      /^the client offers TLS 1\.2 at most/,
    ],
    [
      'with another cipher suite of TLS 1.3',
      hello({ ...only13, suites: [random, 0x1304, 0xc02b] }),
      'no_shared_cipher',
      /^the client offers for TLS 1\.3 only cipher suite TLS_AES_128_CCM_SHA256\. .*Client: enable TLS_AES_128_GCM_SHA256\./,
    ],
    [
      'with random values for groups',
      hello({ ...only13, groups: [random], shares: [{ group: random, key: Buffer.alloc(1) }] }),
      'no_shared_group',
      /^the client names no key exchange group \(supported_groups\)\. /,
    ],
    [
      'with a group that is accepted from listed addresses',
      hello({ ...only13, groups: [random, 25], shares: [] }),
      'no_shared_group',
      /^the client offers only key exchange group secp521r1\. .*listed addresses only.*clients\.allowlist/,
    ],
    [
      'with random values for signature algorithms',
      hello({ ...only13, signatureSchemes: [random] }),
      'no_shared_signature',
      /^the client names no signature algorithm \(signature_algorithms\)\. /,
    ],
    [
      'of TLS 1.2 without signature algorithms',
      hello({ ...only12, version: 'TLS 1.1' }, withLegacyVersion(3)),
      'no_shared_signature',
      /^the client names no signature algorithm \(signature_algorithms\), so it accepts SHA-1 only/,
    ],
    [
      'with the signature algorithm of another curve',
      hello({ ...only13, signatureSchemes: [random, 0x0503] }),
      'no_shared_signature',
      /^the client accepts only signature algorithm ecdsa_secp384r1_sha384, and listen\.certificate has an EC key on P-256\. /,
    ],
    [
      'with cipher suites for another key',
      hello({ ...only12, suites: [0xc02f] }),
      'no_shared_signature',
      /^the client offers only cipher suites for a certificate with an RSA key, and listen\.certificate has an EC key on P-256\. /,
    ],
    [
      'of a draft of TLS 1.3',
      hello(only13, offering('7f1c')),
      'protocol_version',
      /^the client offers by supported_versions only a draft of TLS 1\.3\. /,
    ],
    [
      'that offers TLS 1.1 by supported_versions',
      hello(only13, offering('0302')),
      'protocol_version',
      /^the client offers by supported_versions only TLSv1\.1\. /,
    ],
    [
      'with a random value for its version',
      hello(only13, offering('2a2a')),
      'protocol_version',
      /^the client offers by supported_versions only values that are no version\. /,
    ],
    [
      'of TLS 1.1',
      hello({ ...only12, version: 'TLS 1.1', suites: [0xc009] }),
      'protocol_version',
      /^the client offers TLSv1\.1 at most\. /,
    ],
  ])('%s is recorded with what it lacks', async (_what, bytes, reason, detail) => {
    const record = await recordOf(bytes);
    expect(record).toMatchObject({ reason, detail: expect.stringMatching(detail) });
    // OpenSSL's version is the legacy one here, which the client need not offer.
    if (/supported_versions/.test(String(detail))) expect(record?.tls_version).toBe(null);
  });
});

it('is blamed for its groups only where the curve of the certificate is not among them', () => {
  const found = failure('no_shared_cipher');
  const explain = (groups: number[], ...curves: number[]) => {
    const read = readClientHello(hello({ ...only12, groups, signatureSchemes: [0x0403, 0x0503] }));
    const keys = curves.map((curve): ServerKey => ({ type: 'ec', curve }));
    return explainMismatch(found, read as never, { keys, chainBytes: 1_000, isListed: true });
  };
  expect(explain([x25519, 23], 24)).toMatchObject({ reason: 'no_shared_group' });
  expect(explain([x25519, 23], 23)).toBe(found);
  expect(explain([x25519, 23], 24, 23)).toBe(found);
});
