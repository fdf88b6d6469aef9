/** A status document of a gateway that has just started. */
import type { Status } from '../../src/admin/status-schema.ts';

export function emptyStatus(): Status {
  const time = '2025-01-01T12:00:00.000Z';
  return {
    version: 1,
    time,
    gateway: {
      version: '0.0.0',
      node: '26.0.0',
      startedAt: time,
      state: 'starting',
      ready: false,
      reasons: ['starting'],
      listen: null,
      generation: null,
    },
    now: {
      seconds: 0,
      messagesPerSecond: 0,
      late: 0,
      shed: 0,
      p50Ms: null,
      p99Ms: null,
      budgetMs: 200,
      maxBudgetMs: 200,
      overBudget: [],
      inFlight: 0,
      connections: 0,
      unfinishedHandshakes: 0,
    },
    history: {
      stepSeconds: 10,
      ends: [],
      allowed: [],
      denied: [],
      failed: [],
      messages: [],
      late: [],
      p50Ms: [],
      p99Ms: [],
    },
    reasons: [],
    refused: [],
    clients: [],
    certificates: [],
    anchors: [],
    keySets: [],
    revocation: [],
    upstreams: [],
    changes: [],
    threads: [],
    audit: { destination: 'stdout', failingSince: null, lost: 0, queuedBytes: 0, seal: null },
  };
}
