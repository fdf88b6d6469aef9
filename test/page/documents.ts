/** A status document as a busy gateway with some trouble sends it. */
import type { History, Status } from '../../src/admin/status-schema.ts';

const second = 1000;
const hour = 3600 * second;
const day = 24 * hour;

/** `now`: milliseconds since the epoch; everything else lies around it. The same for the same `now`. */
export function busyDocument(now: number): Status {
  const at = (offset: number) => new Date(now + offset).toISOString();
  const history = busyHistory(now);
  return {
    version: 1,
    time: at(0),
    gateway: {
      version: '0.1.0',
      node: 'v26.10.0',
      startedAt: at(-3 * day - 4 * hour),
      state: 'serving',
      ready: true,
      reasons: [],
      listen: { address: '10.20.0.14', port: 8443 },
      generation: 41,
    },
    now: {
      seconds: 60,
      messagesPerSecond: 312.4,
      late: 3,
      shed: 0,
      p50Ms: 3.42,
      p99Ms: 41.8,
      budgetMs: 200,
      maxBudgetMs: 200,
      overBudget: [],
      inFlight: 7,
      connections: 184,
      unfinishedHandshakes: 2,
    },
    history,
    reasons: [
      { verdict: 'allow', reason: null, count: 1204, says: null, advice: null },
      { verdict: 'deny', reason: 'untrusted', count: 31, says: 'It happened', advice: 'Add that CA.' },
      {
        verdict: 'failed',
        reason: 'handshake_timeout',
        count: 12,
        says: 'It happened',
        advice: 'Look at the path.',
      },
      { verdict: 'deny', reason: 'expired', count: 4, says: 'It happened', advice: 'Renew it.' },
    ],
    refused: refusals(at),
    clients: [
      client('CN=thredd-live-7,O=Thredd UK Limited,C=GB', '4f:a0:11', at(-4 * second), at(4.4 * day)),
      client('CN=thredd-live-2,O=Thredd UK Limited,C=GB', '4f:a0:12', at(-1 * second), at(26 * day)),
      client('CN=thredd-standby,O=Thredd UK Limited,C=GB', '4f:a0:19', at(-26 * hour), at(311 * day)),
    ],
    certificates: [
      {
        role: 'server',
        anchor: null,
        name: 'CN=ehi.issuer.example',
        serial: '03:9c:77:1e',
        notAfter: at(61 * day),
      },
      {
        role: 'server',
        anchor: null,
        name: 'CN=R11,O=Let’s Encrypt,C=US',
        serial: '8a:7d:3e:13',
        notAfter: at(471 * day),
      },
      {
        role: 'anchor',
        anchor: 'thredd',
        name: 'CN=Thredd Root CA G2,O=Thredd UK Limited,C=GB',
        serial: '01',
        notAfter: at(5210 * day),
      },
      {
        role: 'anchor',
        anchor: 'thredd',
        name: 'CN=Thredd Issuing CA 3,O=Thredd UK Limited,C=GB',
        serial: '1d:22',
        notAfter: at(1103 * day),
      },
      {
        role: 'anchor',
        anchor: 'thredd',
        name: 'CN=Thredd Issuing CA 2,O=Thredd UK Limited,C=GB',
        serial: '1d:07',
        notAfter: at(18 * day),
      },
    ],
    anchors: [
      anchor('thredd', at(-12 * 60 * second), null),
      {
        ...anchor(
          'partner',
          at(-29 * hour),
          'https://pki.partner.example/ca.pem: connect ETIMEDOUT 192.0.2.7:443',
        ),
        pendingRoot: true,
      },
    ],
    keySets: [],
    revocation: [
      {
        anchor: 'thredd',
        kind: 'crl',
        address: 'http://crl.thredd.example/issuing3.crl',
        subject: 'CN=Thredd Issuing CA 3,O=Thredd UK Limited,C=GB',
        serial: null,
        refreshedAt: at(-8 * 60 * second),
        nextUpdate: at(6 * day),
        failures: 0,
        lastError: null,
        entries: 18_402,
      },
      {
        anchor: 'partner',
        kind: 'ocsp',
        address: 'http://ocsp.partner.example/',
        subject: 'CN=partner-1',
        serial: '77:1a',
        refreshedAt: at(-3 * hour),
        nextUpdate: at(-20 * 60 * second),
        failures: 4,
        lastError: 'the responder answered 503',
        entries: null,
      },
    ],
    upstreams: [
      {
        url: 'https://auth-1.internal:8080',
        state: 'up',
        idleConnections: 14,
        busyConnections: 6,
        failures: 0,
        lastFailure: null,
      },
      {
        url: 'https://auth-2.internal:8080',
        state: 'down',
        idleConnections: 0,
        busyConnections: 0,
        failures: 212,
        lastFailure: { time: at(-2 * second), reason: 'upstream_unreachable', cause: 'ECONNREFUSED' },
      },
    ],
    changes: [
      {
        time: at(-31 * second),
        kind: 'trust',
        event: 'pending_root',
        subject: 'partner',
        detail: 'a root that is not approved was offered',
        count: 1,
      },
      {
        time: at(-14 * 60 * second),
        kind: 'config',
        event: 'reloaded',
        subject: null,
        detail: 'routes, clients.allowlist',
        count: 1,
      },
      { time: at(-2 * day), kind: 'thread', event: 'restarted', subject: 'thread 2', detail: null, count: 1 },
    ],
    threads: [1, 2].map((thread) => ({
      thread,
      connections: 90 + thread,
      inFlight: 3,
      loopDelayMs: thread * 0.7,
    })),
    audit: {
      destination: '/var/log/ehi-gateway/audit.log',
      failingSince: null,
      lost: 0,
      queuedBytes: 18_230,
      seal: { seq: 91_204, time: at(-0.4 * second) },
    },
  };
}

function client(
  subject: string,
  serial: string,
  lastSeen: string,
  notAfter: string,
): Status['clients'][number] {
  return { subject, serial, lastSeen, notAfter, issuer: 'CN=Thredd Issuing CA 3,O=Thredd UK Limited,C=GB' };
}

function anchor(name: string, refreshedAt: string, lastError: string | null): Status['anchors'][number] {
  return {
    name,
    refreshedAt,
    source: 'url',
    certificates: 3,
    passedOver: 1,
    rootPinned: true,
    pendingRoot: false,
    lastError,
  };
}

function refusals(at: (offset: number) => string): Status['refused'] {
  return Array.from({ length: 14 }, (_, index) => ({
    time: at(-(index * index * 17 + 6) * second),
    count: index === 4 ? 1204 : 1,
    connId: `01JDV8${String(index).padStart(2, '0')}QX`,
    sourceAddress: index % 3 === 2 ? null : `198.51.100.${20 + index}`,
    ...(index % 3 === 0
      ? {
          verdict: 'failed' as const,
          reason: 'handshake_timeout',
          says: 'the handshake did not finish within timeouts.handshake',
          detail: 'the client sent no ClientHello within 10 s',
          advice:
            'Look at the network between the client and the gateway, and for a client that opens connections without using them.',
          subject: null,
          issuer: null,
        }
      : {
          verdict: 'deny' as const,
          reason: 'untrusted',
          says: 'no path leads from the client’s certificate to a trust anchor',
          detail: 'no path leads from the client’s certificate to a trust anchor: CN=Other CA is unknown',
          advice:
            'The record’s detail says whether the CA is unknown, has another key, or cannot be used. If its clients may connect, add that CA and its root to an anchor in trust.anchors.',
          subject: 'CN=someone,O=Somewhere Else Ltd,C=GB',
          issuer: 'CN=Other CA,O=Somewhere Else Ltd,C=GB',
        }),
  }));
}

function busyHistory(now: number): History {
  const stepSeconds = 10;
  const last = Math.floor(now / second / stepSeconds) * stepSeconds;
  const steps = Array.from({ length: 360 }, (_, index) => index);
  const wave = (index: number, length: number) => (1 + Math.sin((2 * Math.PI * index) / length)) / 2;
  /** Between 0 and 1, irregular. */
  const noise = (index: number) => (Math.sin(index * 12.9898) * 43758.5453) % 1;
  const isPause = (index: number) => index > 150 && index < 168;
  const messages = steps.map((index) =>
    isPause(index) ? 0 : Math.round(2000 + 1200 * wave(index, 220) + 300 * noise(index)),
  );
  const p50Ms = steps.map((index) => (isPause(index) ? null : 3 + wave(index, 90) + 0.4 * noise(index)));
  return {
    stepSeconds,
    ends: steps.map((index) => last - (359 - index) * stepSeconds),
    allowed: steps.map((index) => (isPause(index) ? 0 : Math.round(3 + 3 * wave(index, 130) + noise(index)))),
    denied: steps.map((index) => (index > 280 && index < 300 ? 2 : index % 47 === 0 ? 1 : 0)),
    failed: steps.map((index) => (index % 71 === 5 ? 2 : 0)),
    messages,
    late: steps.map((index) => (index > 230 && index < 236 ? 9 : 0)),
    p50Ms,
    p99Ms: steps.map((index) => {
      if (isPause(index)) return null;
      return index > 229 && index < 236
        ? 320 + 40 * noise(index)
        : 22 + 18 * wave(index, 60) + 9 * noise(index);
    }),
  };
}

/** A gateway without any trouble. */
export function calmDocument(now: number): Status {
  const busy = busyDocument(now);
  const at = (days: number) => new Date(now + days * day).toISOString();
  return {
    ...busy,
    now: { ...busy.now, late: 0 },
    clients: busy.clients.map((each) => ({ ...each, notAfter: at(200) })),
    certificates: busy.certificates.map((each) => ({ ...each, notAfter: at(400) })),
    anchors: busy.anchors.slice(0, 1),
    revocation: busy.revocation.slice(0, 1),
    upstreams: busy.upstreams.slice(0, 1),
  };
}

/** A gateway that has just started, and that no client has called. */
export function emptyDocument(now: number): Status {
  const busy = busyDocument(now);
  const none = {
    ends: [],
    allowed: [],
    denied: [],
    failed: [],
    messages: [],
    late: [],
    p50Ms: [],
    p99Ms: [],
  };
  const lists = { reasons: [], refused: [], clients: [], certificates: [], anchors: [], revocation: [] };
  return {
    ...busy,
    ...lists,
    gateway: {
      ...busy.gateway,
      state: 'starting',
      ready: false,
      reasons: ['starting', 'no usable trust anchor'],
      listen: null,
      generation: null,
      startedAt: busy.time,
    },
    now: {
      ...busy.now,
      seconds: 0,
      messagesPerSecond: 0,
      late: 0,
      p50Ms: null,
      p99Ms: null,
      inFlight: 0,
      connections: 0,
      unfinishedHandshakes: 0,
    },
    history: { stepSeconds: 10, ...none },
    upstreams: [],
    changes: [],
    threads: [],
    audit: { ...busy.audit, seal: null, queuedBytes: 0 },
  };
}
