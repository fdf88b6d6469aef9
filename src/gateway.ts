/** The rooms in order, for one relay thread: source, handshake, identity, message, relay, upstream. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { type Admission, admit, compileAdmission } from './admission.ts';
import { leafJson } from './audit/record.ts';
import type { Inbound } from './handshake/inbound.ts';
import { Listener, type ListenOptions } from './handshake/listener.ts';
import { type Peer, readPeer } from './handshake/peer.ts';
import { authorizeClient, type ClientPermit, type IdentityPolicy } from './identity/authorize.ts';
import { PathCache } from './identity/path-cache.ts';
import { denyReasons } from './identity/verdict.ts';
import { refuseConnection } from './message/refused.ts';
import { type Certificate, parseCertificate } from './pki/certificate.ts';
import type { PolicySnapshot } from './policy/snapshot.ts';
import { Downstream, type RelayPolicy } from './relay/downstream.ts';
import { RouteTable } from './relay/route.ts';
import type { Recorder } from './telemetry/recorder.ts';
import { Pools } from './upstream/pools.ts';
import type { Upstream } from './upstream/upstream.ts';

/** A snapshot made ready for use; swapped as one reference. */
interface Policy {
  readonly snapshot: PolicySnapshot;
  readonly admission: Admission;
  readonly identity: IdentityPolicy;
  readonly relay: RelayPolicy;
}

/** At the end of a drain: for the last answers to leave. */
const FAREWELL_MS = 500;

interface GatewayOptions {
  readonly snapshot: PolicySnapshot;
  readonly listen: ListenOptions;
  readonly recorder: Recorder;
}

export class Gateway {
  readonly #recorder: Recorder;
  readonly #listener: Listener;
  readonly #pools: Pools;
  readonly #admitted = new Set<Downstream>();
  #policy: Policy;
  #draining = false;
  #accepting = true;

  constructor({ snapshot, listen, recorder }: GatewayOptions) {
    this.#recorder = recorder;
    this.#pools = new Pools(recorder);
    this.#policy = this.#compile(snapshot);
    this.#listener = new Listener({
      listen,
      snapshot,
      recorder,
      admit: (inbound) =>
        admit(inbound, this.#policy.admission, () => ({
          connections: recorder.meter.connections,
          unfinished: this.#listener.unfinished,
        })),
      onSecure: (inbound, socket) => this.#onSecure(inbound, socket),
    });
  }

  /** Throws GatewayError ADDRESS_IN_USE or LISTEN. */
  listen(): Promise<{ address: string; port: number }> {
    return this.#listener.open();
  }

  update(snapshot: PolicySnapshot): void {
    this.#policy = this.#compile(snapshot);
    this.#listener.update(snapshot);
  }

  /**
   * Finishes existing work and accepts none: goes on accepting for `drainDelay`, every answer being its connection's
   * last, then closes what is idle and gives exchanges up to `drain`.
   */
  async drain(): Promise<void> {
    const { drainDelay, drain } = this.#policy.snapshot.timeouts;
    this.#draining = true;
    for (const downstream of this.#admitted) downstream.drain({ now: drainDelay === 0 });
    if (drainDelay > 0) await sleep(drainDelay);
    this.#accepting = false;
    this.#listener.close();
    for (const downstream of this.#admitted) downstream.drain({ now: true });
    const { empty } = this.#listener;
    await Promise.race([empty(), sleep(drain, undefined, { ref: false })]);
    for (const downstream of this.#admitted) downstream.abort();
    await Promise.race([empty(), sleep(FAREWELL_MS, undefined, { ref: false })]);
    this.#listener.abort();
    await empty();
    this.#pools.close();
  }

  #compile(snapshot: PolicySnapshot): Policy {
    const anchors = snapshot.anchors.map(({ name, root, issuing }) => ({
      name,
      certificates: [root, ...issuing].map(parseCertificate),
    }));
    const { limits, timeouts } = snapshot;
    const upstreams = this.#pools.update(snapshot);
    return {
      snapshot,
      admission: compileAdmission(snapshot),
      identity: {
        generation: snapshot.generation,
        pins: snapshot.pins === null ? null : new Set(snapshot.pins),
        match: snapshot.match,
        opensslMustAgree: snapshot.advertiseCaNames,
        paths: new PathCache(anchors),
      },
      relay: {
        routes: new RouteTable(
          snapshot.routes.map((policy, index) => ({ policy, upstream: upstreams[index] as Upstream })),
        ),
        limits,
        timeouts,
      },
    };
  }

  #onSecure(inbound: Inbound, socket: TLSSocket): void {
    const peer = readPeer(socket);
    const { identity } = this.#policy;
    const verdict = authorizeClient({ source: inbound, peer, now: Date.now() }, identity);
    if (verdict.allow) this.#welcome({ inbound, socket, peer, permit: verdict.permit });
    else {
      const { reason, detail } = verdict;
      const { opensslCode } = peer;
      const leaf = describe(peer);
      inbound.record({ verdict: 'deny', reason, detail, opensslCode, peer, leaf, anchor: null });
      this.#refuse(inbound, socket, reason);
    }
  }

  #welcome(admitted: { inbound: Inbound; socket: TLSSocket; peer: Peer; permit: ClientPermit }): void {
    const { inbound, socket, peer, permit } = admitted;
    const { leaf, anchor } = permit;
    const { opensslCode } = peer;
    inbound.record({
      verdict: 'allow',
      reason: null,
      detail: null,
      opensslCode,
      peer,
      leaf: factsOf(leaf),
      anchor,
    });
    this.#recorder.meter.clientCertificate(leaf.subject, leaf.notAfter);
    const downstream = new Downstream({
      socket,
      transport: inbound.transport,
      caller: { connId: inbound.connId, permit, address: inbound.address },
      policy: () => this.#policy.relay,
      recorder: this.#recorder,
    });
    this.#admitted.add(downstream);
    socket.once('close', () => this.#admitted.delete(downstream));
    if (this.#draining) downstream.drain({ now: !this.#accepting });
  }

  #refuse(inbound: Inbound, socket: TLSSocket, reason: keyof typeof denyReasons): void {
    const { rejectWith, limits, timeouts } = this.#policy.snapshot;
    if (rejectWith === 'close') return void socket.destroy();
    refuseConnection(socket, {
      connId: inbound.connId,
      status: denyReasons[reason].status,
      reason,
      limits,
      headTimeout: timeouts.head,
      recorder: this.#recorder,
    });
  }
}

/** The leaf's part of the record, made once a leaf. */
const knownFacts = new WeakMap<Certificate, string>();

function factsOf(leaf: Certificate): string {
  let facts = knownFacts.get(leaf);
  if (facts === undefined) {
    facts = leafJson(leaf);
    knownFacts.set(leaf, facts);
  }
  return facts;
}

/** What can be told of a refused leaf; null: there is none, or nothing that can be read. */
function describe(peer: Peer): string | null {
  if (peer.leaf === null) return null;
  try {
    return leafJson(parseCertificate(peer.leaf.raw));
  } catch {
    return null;
  }
}
