import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toEcsLines } from '../../src/audit/ecs-line.ts';
import {
  type AnchoredFacts,
  configLine,
  keysLine,
  revocationLine,
  type TrustFacts,
  threadLine,
  trustLine,
} from '../../src/audit/event-record.ts';
import {
  type HandshakeFacts,
  handshakeLine,
  leafJson,
  liveLine,
  type MessageFacts,
  messageLine,
} from '../../src/audit/record.ts';

const time = Date.UTC(2026, 0, 2, 3, 4, 5, 67);
const card = '4111111111111111';

const leaf = {
  subject: 'CN=app,OU=org',
  issuer: 'CN=Issuing CA',
  serial: '0a1b',
  notBefore: Date.UTC(2025, 0, 1),
  notAfter: Date.UTC(2026, 0, 31),
  spkiPin: 'AAAA=',
  thumbprint: 'abc_-',
};

const handshake: HandshakeFacts = {
  time,
  connId: 'c-1',
  sourceAddress: '203.0.113.7',
  sourcePort: 55460,
  proxyAddress: null,
  listener: '0.0.0.0:8443',
  tlsVersion: 'TLSv1.3',
  cipher: 'TLS_AES_128_GCM_SHA256',
  resumed: false,
  sni: 'gateway.example',
  alpn: 'http/1.1',
  durationMs: 3.20049,
  leaf: leafJson(leaf),
  anchor: 'own',
  verdict: 'allow',
  reason: null,
  opensslCode: null,
  detail: null,
  generation: 3,
  revocation: 'good',
  shadow: { verdict: 'deny', reasons: ['untrusted'], anchor: null },
};

const message: MessageFacts = {
  time,
  connId: 'c-1',
  requestId: 'r-1',
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  route: '/ehi',
  method: 'POST',
  path: '/ehi/messages',
  status: 200,
  endpoint: 'http://127.0.0.1:8080',
  upstreamReused: true,
  requestBytes: 2048,
  responseBytes: 150,
  upstreamMs: 4.0006,
  totalMs: 4.25,
  outcome: 'relayed',
  reason: null,
};

function parse(line: string): Record<string, unknown> {
  expect(line.indexOf('\n')).toBe(line.length - 1);
  return JSON.parse(line);
}

it('a record of a live verdict has the fields of the contract, in their order', () => {
  const facts = {
    time,
    connId: 'c-1',
    sourceAddress: '203.0.113.7',
    leaf: leafJson(leaf),
    anchor: 'own',
    reason: 'revoked',
    detail: 'CN=app was revoked',
    generation: 4,
  };
  expect(Object.entries(parse(liveLine(facts)))).toEqual([
    ['type', 'verdict'],
    ['stage', 'live'],
    ['time', '2026-01-02T03:04:05.067Z'],
    ['conn_id', 'c-1'],
    ['source_address', '203.0.113.7'],
    ['leaf', expect.objectContaining({ subject: 'CN=app,OU=org' })],
    ['anchor', 'own'],
    ['verdict', 'deny'],
    ['reason', 'revoked'],
    ['detail', 'CN=app was revoked'],
    ['generation', 4],
  ]);
});

describe('a handshake record', () => {
  it('has the fields of the contract, in their order', () => {
    const record = parse(handshakeLine(handshake));
    expect(Object.entries(record)).toEqual([
      ['type', 'handshake'],
      ['time', '2026-01-02T03:04:05.067Z'],
      ['conn_id', 'c-1'],
      ['source_address', '203.0.113.7'],
      ['source_port', 55460],
      ['proxy_address', null],
      ['listener', '0.0.0.0:8443'],
      ['tls_version', 'TLSv1.3'],
      ['cipher', 'TLS_AES_128_GCM_SHA256'],
      ['resumed', false],
      ['sni', 'gateway.example'],
      ['alpn', 'http/1.1'],
      ['duration_ms', 3.2],
      ['leaf', expect.any(Object)],
      ['anchor', 'own'],
      ['verdict', 'allow'],
      ['reason', null],
      ['openssl_code', null],
      ['detail', null],
      ['generation', 3],
      ['revocation', 'good'],
      ['shadow', { verdict: 'deny', reasons: ['untrusted'], anchor: null }],
    ]);
    expect(Object.entries(record.leaf as object)).toEqual([
      ['subject', 'CN=app,OU=org'],
      ['issuer', 'CN=Issuing CA'],
      ['serial', '0a1b'],
      ['not_before', '2025-01-01T00:00:00.000Z'],
      ['not_after', '2026-01-31T00:00:00.000Z'],
      ['spki_pin', 'AAAA='],
      ['pin', 'sha256/AAAA='],
      ['thumbprint', 'abc_-'],
    ]);
  });

  it('has null for every unknown value', () => {
    const unknown = {
      sourceAddress: null,
      sourcePort: null,
      tlsVersion: null,
      cipher: null,
      resumed: null,
      sni: null,
      alpn: null,
      durationMs: Number.NaN,
      leaf: null,
      anchor: null,
      verdict: 'failed',
      reason: 'reset',
    } as const;
    expect(parse(handshakeLine({ ...handshake, ...unknown }))).toMatchObject({
      source_address: null,
      source_port: null,
      tls_version: null,
      resumed: null,
      sni: null,
      duration_ms: null,
      leaf: null,
      anchor: null,
      verdict: 'failed',
      reason: 'reset',
    });
  });

  it('masks digits in SNI and detail, but not in the leaf', () => {
    const line = handshakeLine({
      ...handshake,
      sni: `x${card}.example`,
      detail: `seen ${card}`,
      leaf: leafJson({ ...leaf, serial: card }),
    });
    expect(parse(line)).toMatchObject({
      sni: 'x[digits].example',
      detail: 'seen [digits]',
      leaf: { serial: card },
    });
  });

  it('has null dates for a leaf whose dates cannot be read', () => {
    expect(JSON.parse(leafJson({ ...leaf, notBefore: Number.NaN, notAfter: 9e15 }))).toMatchObject({
      not_before: null,
      not_after: null,
    });
  });

  it('cuts client-controlled text at 512 bytes, between characters', () => {
    const record = parse(
      handshakeLine({
        ...handshake,
        sni: 'a'.repeat(513),
        leaf: leafJson({ ...leaf, subject: `a${'€'.repeat(300)}`, issuer: `ab${'😀'.repeat(300)}` }),
      }),
    );
    expect(record).toMatchObject({
      sni: 'a'.repeat(512),
      leaf: { subject: `a${'€'.repeat(170)}`, issuer: `ab${'😀'.repeat(127)}` },
    });
  });
});

describe('a message record', () => {
  it('has the fields of the contract, in their order', () => {
    expect(Object.entries(parse(messageLine(message)))).toEqual([
      ['type', 'message'],
      ['time', '2026-01-02T03:04:05.067Z'],
      ['conn_id', 'c-1'],
      ['request_id', 'r-1'],
      ['trace_id', '4bf92f3577b34da6a3ce929d0e0e4736'],
      ['route', '/ehi'],
      ['method', 'POST'],
      ['path', '/ehi/messages'],
      ['status', 200],
      ['endpoint', 'http://127.0.0.1:8080'],
      ['upstream_reused', true],
      ['request_bytes', 2048],
      ['response_bytes', 150],
      ['upstream_ms', 4.001],
      ['total_ms', 4.25],
      ['outcome', 'relayed'],
      ['reason', null],
    ]);
  });

  it('has null for every unknown value', () => {
    const unknown = {
      route: null,
      method: null,
      path: null,
      status: null,
      endpoint: null,
      upstreamReused: null,
      upstreamMs: Number.NaN,
      requestBytes: Number.NaN,
    };
    expect(
      parse(messageLine({ ...message, ...unknown, outcome: 'denied', reason: 'head_syntax' })),
    ).toMatchObject({
      route: null,
      method: null,
      path: null,
      status: null,
      endpoint: null,
      upstream_reused: null,
      upstream_ms: null,
      request_bytes: null,
      outcome: 'denied',
      reason: 'head_syntax',
    });
  });

  const slashes = '/'.repeat(500);
  it.each([
    ['without its query', '/a?card=1', '/a'],
    ['as nothing, when there is nothing before the query', '?', ''],
    ['masked', `/a/${card}?x`, '/a/[digits]'],
    ['masked where digits are encoded', `/a/%34${card.slice(1)}`, '/a/[digits]'],
    ['masked at the end of what is written', `${slashes}${card}`, `${slashes}[digits]`],
    [
      'masked before it is cut: cut first, twelve digits were left',
      `${slashes}${card}////////`,
      `${slashes}[digits]////`,
    ],
    ['with everything escaped that JSON wants escaped', '/"\\\u0007\u2028', '/"\\\u0007\u2028'],
    ['with half a surrogate pair', '/\ud800', '/\ud800'],
  ])('writes the path %s, each time it occurs', (_title, path, written) => {
    expect(parse(messageLine({ ...message, path })).path).toBe(written);
    expect(parse(messageLine({ ...message, path })).path).toBe(written);
  });

  it('is one line of JSON with a bounded path and no query, for any target', () => {
    const unit = fc.constantFrom('/', 'a', '?', '%', '4', card, '"', '\\', '\n', '€', '😀', '\ud800', '\0');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 800 }), (path) => {
        const line = messageLine({ ...message, path });
        const written = parse(line).path as string;
        expect(written).not.toContain('?');
        expect(written).not.toMatch(/[0-9]{13}/);
        expect(Buffer.byteLength(written)).toBeLessThanOrEqual(512);
      }),
      { numRuns: 2_000 },
    );
  });

  it('writes every path correctly when more paths occur than are cached', () => {
    for (let index = 0; index < 1_000; index++) {
      expect(parse(messageLine({ ...message, path: `/${index % 300}` })).path).toBe(`/${index % 300}`);
    }
  });
});

describe('a trust record', () => {
  const event: TrustFacts = {
    time,
    event: 'trust_on_first_use',
    anchor: 'own',
    rootSha256: 'ab'.repeat(32),
    url: 'https://pki.example/root.pem',
    detail: null,
    added: null,
    removed: null,
  };

  it('contains the event, the anchor and its root', () => {
    expect(Object.entries(parse(trustLine(event)))).toEqual([
      ['type', 'trust'],
      ['time', '2026-01-02T03:04:05.067Z'],
      ['event', 'trust_on_first_use'],
      ['anchor', 'own'],
      ['root_sha256', 'ab'.repeat(32)],
      ['url', 'https://pki.example/root.pem'],
      ['detail', null],
      ['added', null],
      ['removed', null],
    ]);
  });

  it('lists the added and removed certificates of a change, each with source and validity', () => {
    const certificate: AnchoredFacts = {
      anchor: 'own',
      subject: 'CN=Root CA',
      serial: '4d01',
      sha256: '0123456789abcdef'.repeat(4),
      source: '/etc/ehi/root.pem',
      notBefore: time,
      notAfter: Number.NaN,
    };
    const facts = { anchor: null, rootSha256: null, url: null, event: 'changed' };
    const [subject, serial] = ['CN='.padEnd(600, 'a'), '5'.padEnd(600, '0')];
    const line = trustLine({
      ...event,
      ...facts,
      added: [certificate],
      removed: [{ ...certificate, subject, serial }],
    });
    const { added, removed, ...rest } = parse(line) as Record<'added' | 'removed', [object]>;
    expect(rest).toMatchObject({ event: 'changed', anchor: null });
    expect(Object.entries(added[0])).toEqual([
      ['anchor', 'own'],
      ['subject', 'CN=Root CA'],
      ['serial', '4d01'],
      ['sha256', certificate.sha256],
      ['source', '/etc/ehi/root.pem'],
      ['not_before', '2026-01-02T03:04:05.067Z'],
      ['not_after', null],
    ]);
    expect(removed).toEqual([{ ...added[0], subject: subject.slice(0, 512), serial: serial.slice(0, 512) }]);
    expect(parse(trustLine({ ...event, ...facts, added: [], removed: [] }))).toMatchObject({
      added: [],
      removed: [],
    });
  });
});

describe('text of a peer', () => {
  const name = 'CN=\u202eevil\u2066\u3164\u009b31m';
  const detail = `the client sent ${name}`;
  const lines = [
    handshakeLine({
      ...handshake,
      ...{
        sni: name,
        alpn: name,
        detail,
        anchor: name,
        leaf: leafJson({ ...leaf, subject: name, issuer: name }),
      },
    }),
    trustLine({
      time,
      event: 'fetched',
      anchor: name,
      rootSha256: null,
      url: name,
      detail,
      added: [],
      removed: [],
    }),
    revocationLine({ time, event: 'crl_fetched', anchor: name, address: name, certificate: name, detail }),
    keysLine({
      ...{ time, event: 'changed', source: name, detail, removed: [] },
      added: [{ kid: name, thumbprint: 'a', certificate: null }],
    }),
    configLine({ time, event: 'reloaded', generation: 1, changed: [name], fixed: [name], problems: 0 }),
    threadLine({ time, thread: 1, detail }),
  ];

  it.each(lines)(
    'changes nothing that a terminal shows of the line, and is unchanged for its reader: %#',
    (line) => {
      for (const each of [line, toEcsLines(line)]) {
        expect(each).toMatch(/^[\x20-\x7e]+\n$/);
        expect(JSON.stringify(JSON.parse(each))).toContain(JSON.stringify(name).slice(1, -1));
      }
    },
  );
});
