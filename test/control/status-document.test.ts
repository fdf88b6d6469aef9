import { describe, expect, it } from 'vitest';
import { statusSchema } from '../../src/admin/status-schema.ts';
import { type StatusFacts, statusOf } from '../../src/control/status-document.ts';
import type { SourceState } from '../../src/revocation/event.ts';
import type { EndpointState } from '../../src/telemetry/endpoint-report.ts';
import { Meter, type MeterDelta } from '../../src/telemetry/meter.ts';
import { TrafficHistory } from '../../src/telemetry/traffic-history.ts';

const now = Date.UTC(2025, 0, 1);
const day = 86_400_000;
const iso = (time: number) => new Date(time).toISOString();

function facts(changes: Partial<StatusFacts> = {}): StatusFacts {
  return {
    now,
    startedAt: now,
    gateway: { version: '1.2.3', state: 'serving', ready: true, reasons: [], listen: null, generation: null },
    config: {
      routes: [
        { path: '/a', budget: 300 },
        { path: '/b', budget: 150 },
      ],
    } as unknown as StatusFacts['config'],
    serverCertificates: [],
    history: new TrafficHistory({ now: () => now }),
    refusals: [],
    clients: [],
    anchors: [],
    keySets: [],
    revocationSources: [],
    endpoints: [],
    changes: [],
    threads: [],
    audit: {
      destination: 'stdout',
      failingSince: null,
      lost: 0,
      queuedBytes: 0,
      lastSealAt: null,
      lastSealSeq: null,
    },
    ...changes,
  };
}

/** As the schema allows it. */
function documentOf(changes: Partial<StatusFacts>) {
  const document = statusOf(facts(changes));
  expect(statusSchema.parse(document)).toEqual(document);
  return document;
}

const source = (changes: Partial<SourceState>): SourceState => ({
  anchor: 'example',
  kind: 'ocsp',
  address: 'http://ocsp.example.com/',
  subject: 'CN=client',
  serial: '01',
  certificate: null,
  fetchedAt: now,
  thisUpdate: now,
  nextUpdate: now + day,
  entries: null,
  unclear: null,
  number: null,
  status: 'good',
  problem: null,
  failures: 0,
  ...changes,
});

const endpoint = (changes: Partial<EndpointState>): EndpointState => ({
  url: 'http://host',
  state: 'used',
  relays: { used: 1, passed_over: 0 },
  connections: { idle: 0, in_use: 0 },
  idle_limit_ms: 4000,
  ejections: 0,
  last_failure: null,
  last_message_failure: null,
  last_check: null,
  latestFailure: null,
  ...changes,
});

describe('the status document', () => {
  it('has the smallest budget, and sums over the threads, of which some have reported nothing yet', () => {
    const gauges = { connections: 3, inFlight: 2, softFailing: 0, unfinishedHandshakes: 1, delay: 7 };
    const { now: traffic, threads } = documentOf({
      threads: [
        { thread: 0, gauges },
        { thread: 4, gauges: undefined },
        { thread: 5, gauges },
      ],
    });
    expect(traffic).toMatchObject({
      budgetMs: 150,
      maxBudgetMs: 300,
      connections: 6,
      inFlight: 4,
      unfinishedHandshakes: 2,
    });
    expect(threads).toEqual([
      { thread: 0, connections: 3, inFlight: 2, loopDelayMs: 7 },
      { thread: 4, connections: 0, inFlight: 0, loopDelayMs: 0 },
      { thread: 5, connections: 3, inFlight: 2, loopDelayMs: 7 },
    ]);
  });

  it('lists each key set, read or not', () => {
    const set = { kind: 'uri', skipped: [] } as const;
    const keySets = [
      { ...set, source: 'https://a.example/keys', keys: [], fetchedAt: now, problem: null },
      {
        ...set,
        source: 'https://b.example/keys',
        keys: null,
        fetchedAt: null,
        problem: 'the server answered 503',
      },
    ];
    const none = { keys: 0, passedOver: 0 };
    expect(documentOf({ keySets }).keySets).toEqual([
      {
        source: 'https://a.example/keys',
        refreshedAt: new Date(now).toISOString(),
        ...none,
        lastError: null,
      },
      { source: 'https://b.example/keys', refreshedAt: null, ...none, lastError: 'the server answered 503' },
    ]);
  });

  it('lists at most 200 revocation sources: those that fail first, then those whose data ends first', () => {
    const revocationSources = [
      ...Array.from({ length: 1000 }, (_, index) =>
        source({ nextUpdate: now + day * index, serial: `${index}` }),
      ),
      source({ failures: 2, serial: 'two' }),
      source({ failures: 9, serial: 'nine', problem: 'status 503', fetchedAt: null, nextUpdate: null }),
    ];
    const { revocation } = documentOf({ revocationSources });
    expect(revocation).toHaveLength(200);
    expect(revocation.slice(0, 4).map(({ serial }) => serial)).toEqual(['nine', 'two', '0', '1']);
    expect(revocation[0]).toEqual({
      anchor: 'example',
      kind: 'ocsp',
      address: 'http://ocsp.example.com/',
      subject: 'CN=client',
      serial: 'nine',
      refreshedAt: null,
      nextUpdate: null,
      failures: 9,
      lastError: 'status 503',
      entries: null,
    });
  });

  it('lists at most 200 certificates, those that expire first', () => {
    const certificate = (index: number) => ({
      subject: `CN=${index}`,
      serial: '01',
      notAfter: now + day * index,
    });
    const chain = Array.from({ length: 300 }, (_, index) => certificate(300 - index));
    const serverCertificates = [{ chain }] as unknown as StatusFacts['serverCertificates'];
    const { certificates } = documentOf({ serverCertificates });
    expect(certificates).toHaveLength(200);
    expect(certificates[0]).toEqual({
      role: 'server',
      anchor: null,
      name: 'CN=1',
      serial: '01',
      notAfter: iso(now + day),
    });
  });

  it('shows an anchor that has no certificates yet, with its masked problem', () => {
    const problem = 'https://ca.example.com/4929120019876543: status 503';
    const anchors = [{ name: 'example', state: null, pinned: true, hasPendingRoot: false, problem }];
    expect(documentOf({ anchors }).anchors).toEqual([
      {
        name: 'example',
        source: null,
        refreshedAt: null,
        certificates: 0,
        passedOver: 0,
        rootPinned: true,
        pendingRoot: false,
        lastError: 'https://ca.example.com/[digits]: status 503',
      },
    ]);
  });

  it('names the routes whose p99 is over their own budget, as far as they are configured', () => {
    const history = new TrafficHistory({ now: () => now });
    const meter = new Meter();
    for (const route of ['/a', '/b', '/removed']) {
      meter.route(route).message(200, 200, 200);
      meter.route(route).budget(200, route === '/a' ? 300 : 150, true);
    }
    history.merge(meter.take() as MeterDelta);
    expect(documentOf({ history }).now.overBudget).toEqual([
      { route: '/b', budgetMs: 150, messages: 1, over: 1 },
    ]);
  });

  it('shows the only endpoint of a route as down when it cannot be reached, and the later of its failures', () => {
    const history = new TrafficHistory({ now: () => now });
    const meter = new Meter();
    const failing = meter.endpoint('http://host');
    failing.pools = 1;
    failing.failed({ at: now, reason: 'connect_failed', cause: 'ECONNREFUSED' });
    history.merge(meter.take() as MeterDelta);
    const failure = (time: number, reason: string) => ({ time: iso(time), reason, cause: 'ECONNREFUSED' });
    const stateOf = (changes: Partial<EndpointState>) =>
      documentOf({ history, endpoints: [endpoint(changes)] }).upstreams[0];
    expect(
      stateOf({
        last_failure: failure(now - 4, 'connect_failed'),
        latestFailure: failure(now - 5, 'closed_early'),
      }),
    ).toEqual({
      url: 'http://host',
      state: 'down',
      idleConnections: 0,
      busyConnections: 0,
      failures: 1,
      lastFailure: failure(now - 5, 'closed_early'),
    });
    expect(stateOf({ connections: { idle: 0, in_use: 1 } })).toMatchObject({
      state: 'up',
      lastFailure: null,
    });
    expect(stateOf({ url: 'http://other' })).toMatchObject({ state: 'up', failures: 0 });
    expect(stateOf({ url: 'http://other', state: 'partly_used' })).toMatchObject({ state: 'partly' });
    expect(stateOf({ url: 'http://other', state: 'passed_over' })).toMatchObject({ state: 'down' });
  });

  it('has the last seal of the audit, once there is one', () => {
    const { audit } = facts();
    expect(documentOf({}).audit.seal).toBeNull();
    expect(documentOf({ audit: { ...audit, lastSealAt: now, lastSealSeq: 0 } }).audit.seal).toEqual({
      seq: 0,
      time: iso(now),
    });
  });

  it('contains no text of a peer that a page or a terminal would show as something else', () => {
    const name = 'CN=\u202eevil\u2066\u3164\u00a0\u001b[2J';
    const document = documentOf({
      gateway: { ...facts().gateway, reasons: [name] },
      revocationSources: [source({ problem: name, subject: name, address: name })],
      clients: [{ subject: name, issuer: name, serial: '01', notAfter: now, seenAt: now }],
      refusals: [
        {
          ...{ time: now, connId: '1', sourceAddress: null, verdict: 'deny', reason: 'untrusted', count: 1 },
          detail: `found ${name}`,
          leaf: JSON.stringify({ subject: name, issuer: name }),
        },
      ],
      changes: [{ time: iso(now), kind: 'trust', event: 'fetched', subject: name, detail: name, count: 1 }],
    });
    const shown = 'CN=\\u{202e}evil\\u{2066}\\u{3164}\\u{a0}\\u{1b}[2J';
    expect(document.refused[0]).toMatchObject({ detail: `found ${shown}`, subject: shown, issuer: shown });
    expect(document.clients[0]).toMatchObject({ subject: shown, issuer: shown });
    expect(document.changes[0]).toMatchObject({ subject: shown, detail: shown });
    expect(document.revocation[0]).toMatchObject({ lastError: shown, subject: shown, address: shown });
    expect(document.gateway.reasons).toEqual([shown]);
  });

  it('is bounded in size, whatever happened', () => {
    const history = new TrafficHistory({ now: () => now });
    const text = JSON.stringify(
      documentOf({
        history,
        revocationSources: Array.from({ length: 10_000 }, () => source({ problem: 'x'.repeat(10_000) })),
        refusals: Array.from({ length: 50 }, (_, index) => ({
          time: now,
          connId: `${index}`,
          sourceAddress: '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff',
          verdict: 'deny' as const,
          reason: 'untrusted',
          detail: 'y'.repeat(10_000),
          leaf: null,
          count: 1,
        })),
      }),
    );
    expect(text.length).toBeLessThan(300_000);
  });
});
