/** Generators of audit lines of every type, in the json format, with any text and with nulls. */
import fc from 'fast-check';
import {
  configLine,
  keysLine,
  revocationLine,
  threadLine,
  trustLine,
} from '../../../src/audit/event-record.ts';
import {
  handshakeLine,
  leafJson,
  liveLine,
  type Method,
  messageLine,
  policiesJson,
} from '../../../src/audit/record.ts';

const time = fc.integer({ min: 0, max: 4e12 });
const id = fc.stringMatching(/^[a-zA-Z0-9-]{1,20}$/);
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.constantFrom('","status":', '\\","path":"x', '4111111111111111', '/a"b', 'null', '', '"'),
);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const ms = fc.oneof(fc.double({ min: 0, max: 1e7, noNaN: true }), fc.constant(Number.NaN), fc.constant(0));
const bytes = fc.oneof(fc.nat(), fc.constant(Number.NaN), fc.constant(2 ** 40));
const reason = fc.constantFrom('untrusted', 'revoked', 'deadline');
const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('fe80::1%eth0'));

const leaf = fc
  .record({
    subject: text,
    issuer: text,
    serial: text,
    notBefore: fc.oneof(time, fc.constant(Number.NaN)),
    notAfter: fc.oneof(time, fc.constant(Number.NaN)),
    spkiPin: maybe(fc.base64String()),
    thumbprint: fc.oneof(
      id,
      fc.uint8Array({ minLength: 32, maxLength: 32 }).map((hash) => Buffer.from(hash).toString('base64url')),
    ),
  })
  .map(leafJson);

const handshake = fc
  .record({
    time,
    connId: id,
    sourceAddress: maybe(address),
    sourcePort: maybe(fc.nat(65535)),
    proxyAddress: maybe(address),
    listener: fc.oneof(fc.constantFrom('0.0.0.0:8443', '[::1]:443', '[fe80::1%eth0]:8443'), text),
    tlsVersion: maybe(fc.oneof(fc.constantFrom('TLSv1.3', 'TLSv1.2', 'TLSv1', 'SSLv3'), text)),
    cipher: maybe(fc.constantFrom('TLS_AES_128_GCM_SHA256')),
    resumed: maybe(fc.boolean()),
    sni: maybe(text),
    alpn: maybe(text),
    durationMs: ms,
    leaf: maybe(leaf),
    anchor: maybe(text),
    verdict: fc.constantFrom('allow' as const, 'deny' as const, 'failed' as const),
    reason: maybe(reason),
    opensslCode: maybe(fc.constantFrom('ECONNRESET')),
    detail: maybe(text),
    generation: maybe(fc.nat()),
    revocation: maybe(fc.constantFrom('good', 'unknown')),
    shadow: maybe(
      fc.record({
        verdict: fc.constantFrom('allow' as const, 'deny' as const),
        reasons: fc.array(reason),
        anchor: maybe(text),
      }),
    ),
  })
  .map(handshakeLine);

const live = fc
  .record({
    time,
    connId: id,
    sourceAddress: address,
    leaf: maybe(leaf),
    anchor: maybe(text),
    generation: fc.nat(),
    reason,
    detail: text,
  })
  .map(liveLine);

export const anyMessageLine = fc
  .record({
    time,
    connId: id,
    requestId: id,
    traceId: maybe(fc.stringMatching(/^[0-9a-f]{32}$/)),
    route: maybe(text),
    method: maybe(fc.constantFrom<Method>('GET', 'POST')),
    path: maybe(text),
    status: maybe(fc.integer({ min: 100, max: 599 })),
    endpoint: maybe(text),
    upstreamReused: maybe(fc.boolean()),
    requestBytes: bytes,
    responseBytes: bytes,
    upstreamMs: ms,
    totalMs: ms,
    outcome: fc.constantFrom('answered', 'denied', 'failed', 'cut', 'client_gone'),
    reason: maybe(reason),
    policies: maybe(
      fc
        .record({
          token: maybe(
            fc.record({
              clientId: maybe(text),
              subject: maybe(text),
              keyId: maybe(text),
              how: fc.constantFrom('jwt' as const, 'introspection' as const),
            }),
          ),
          signature: maybe(fc.record({ keyId: maybe(text) })),
          shadow: fc.array(fc.constantFrom('token_expired', 'signature_invalid')),
        })
        .map(policiesJson),
    ),
  })
  .map(messageLine);

const certificates = fc.array(
  fc.record({
    anchor: text,
    subject: text,
    serial: text,
    sha256: id,
    source: text,
    notBefore: time,
    notAfter: time,
  }),
  { maxLength: 3 },
);

const trust = fc
  .record({
    time,
    event: fc.constantFrom('changed', 'fetch_failed', 'trust_on_first_use', 'fetched'),
    anchor: maybe(text),
    rootSha256: maybe(id),
    url: maybe(text),
    detail: maybe(text),
    added: maybe(certificates),
    removed: maybe(certificates),
  })
  .map(trustLine);

const revocation = fc
  .record({
    time,
    event: fc.constantFrom('crl_fetched', 'crl_confirmed', 'crl_fetch_failed'),
    anchor: text,
    address: maybe(text),
    certificate: maybe(text),
    detail: maybe(text),
  })
  .map(revocationLine);

const key = fc.record({ kid: maybe(text), thumbprint: id, certificate: maybe(id) });

const keys = fc
  .record({
    time,
    event: fc.constantFrom('changed', 'fetched', 'refused'),
    source: text,
    detail: maybe(text),
    added: maybe(fc.array(key, { maxLength: 3 })),
    removed: maybe(fc.array(key, { maxLength: 3 })),
  })
  .map(keysLine);

const thread = fc.record({ time, thread: fc.nat(), detail: maybe(text) }).map(threadLine);

const config = fc
  .record({
    time,
    event: fc.constantFrom('reloaded' as const, 'refused' as const),
    generation: maybe(fc.nat()),
    changed: fc.array(id),
    fixed: fc.array(id),
    problems: fc.nat(),
  })
  .map(configLine);

/** One line with its newline. */
export const anyLine = fc.oneof(handshake, live, anyMessageLine, trust, revocation, keys, thread, config);
