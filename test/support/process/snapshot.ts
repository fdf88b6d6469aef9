/** Policy snapshots for tests that run modules in the test process. */
import type { PolicySnapshot, RoutePolicy } from '../../../src/policy/snapshot.ts';
import type { Authority } from '../pki/authority.ts';
import { nothingToAsk } from '../revocation/revocation.ts';

/** Default response settings of a route. */
export const answers = {
  deadline: 10_000,
  firstByte: null,
  idle: null,
  budget: 200,
  contentLength: 'ensure',
  inFlight: 100,
  bearer: null,
  signature: null,
} as const satisfies Partial<RoutePolicy>;

/** The authority's root and issuing CA as the anchor `example`, no routes, and no client restrictions. */
export function snapshotOf(pki: Authority, changes: Partial<PolicySnapshot> = {}): PolicySnapshot {
  const { chainPem, keyPem } = pki.issueServer();
  const while10s = 10_000;
  return {
    generation: 1,
    certificates: [{ chain: chainPem, key: keyPem }],
    anchors: [{ name: 'example', root: pki.root.der, issuing: [pki.issuing.der], revocation: nothingToAsk }],
    advertiseCaNames: true,
    rejectWith: 'http',
    proxyTrusted: [],
    allowlist: null,
    refuseAt: 'accept',
    pins: null,
    match: null,
    registered: null,
    keySets: [],
    replayMemories: { enforce: null, shadow: null },
    clientCertificate: 'required',
    ticketKeys: null,
    shadow: null,
    routes: [],
    identityHeaders: { sets: ['rfc9440'], chain: false, remove: [] },
    limits: {
      head: 16_384,
      fields: 100,
      body: 1_024,
      connections: 100,
      connectionsPerAddress: 100,
      unfinishedHandshakes: 100,
      unfinishedHandshakesPerAddress: 100,
      handshakeBytes: 16_384,
      certificateBytes: 8_192,
      handshakeRate: 100_000,
      delay: 10_000,
      smallRecords: 2000,
      inFlightPerClient: 100,
      heldBodies: 65_536,
    },
    timeouts: {
      handshake: while10s,
      head: while10s,
      bodyIdle: while10s,
      keepAlive: while10s,
      connectFirst: while10s,
      connect: while10s,
      drainDelay: 0,
      drain: 0,
    },
    tracing: null,
    ...changes,
  };
}
