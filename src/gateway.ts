/** The rooms in order, for one relay thread: source, handshake, identity, message, relay, upstream. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { admit, mayCall } from './admission.ts';
import { type Admitted, AdmittedClients } from './admitted.ts';
import { leafJson, type ShadowFacts } from './audit/record.ts';
import { compilePolicy, type Policy } from './compile.ts';
import { type ContactKey, FirstContacts } from './first-contact.ts';
import { type Inbound, unjudged } from './handshake/inbound.ts';
import { Listener, type ListenOptions } from './handshake/listener.ts';
import { type Peer, readPeer } from './handshake/peer.ts';
import {
  authorizeClient,
  type Claim,
  type ClientPermit,
  type Judgement,
  rehearse,
  type UnseenLeaf,
} from './identity/authorize.ts';
import { denyReasons } from './identity/verdict.ts';
import { refuseConnection } from './message/refused.ts';
import { type Certificate, parseCertificate } from './pki/certificate.ts';
import type { PolicySnapshot } from './policy/snapshot.ts';
import { Downstream } from './relay/downstream.ts';
import type { Recorder } from './telemetry/recorder.ts';
import { Pools } from './upstream/pools.ts';

/** Whoever has come through the handshake. */
interface Visitor {
  readonly inbound: Inbound;
  readonly socket: TLSSocket;
  readonly peer: Peer;
}

/** At the end of a drain: for the last answers to leave. */
const FAREWELL_MS = 500;

interface GatewayOptions {
  readonly snapshot: PolicySnapshot;
  readonly listen: ListenOptions;
  readonly recorder: Recorder;
  /** Has a leaf looked after whose revocation nobody has asked about; `contacted` is the answer. */
  readonly onUnseen: (unseen: UnseenLeaf) => void;
}

export class Gateway {
  readonly #recorder: Recorder;
  readonly #listener: Listener;
  readonly #pools: Pools;
  readonly #contacts: FirstContacts;
  readonly #admitted: AdmittedClients;
  #policy: Policy;
  #draining = false;
  #accepting = true;

  constructor({ snapshot, listen, recorder, onUnseen }: GatewayOptions) {
    this.#recorder = recorder;
    this.#pools = new Pools(recorder);
    this.#policy = compilePolicy(snapshot, { pools: this.#pools, last: null });
    const contacts = new FirstContacts(onUnseen);
    this.#contacts = contacts;
    this.#admitted = new AdmittedClients({ policy: () => this.#policy, contacts, recorder });
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

  /** From now on everything is judged by this: new connections, the open ones, and their next messages. */
  update(snapshot: PolicySnapshot): void {
    this.#policy = compilePolicy(snapshot, { pools: this.#pools, last: this.#policy });
    this.#listener.update(snapshot);
    void this.#admitted.judgeAll();
  }

  /** The snapshot that was given last holds what the sources of an unseen leaf have answered. */
  contacted(contact: ContactKey): void {
    this.#contacts.answered(contact);
  }

  /**
   * Finishes existing work and accepts none: goes on accepting for `drainDelay`, every answer being its connection's
   * last, then closes what is idle and gives exchanges up to `drain`.
   */
  async drain(): Promise<void> {
    const { drainDelay, drain } = this.#policy.snapshot.timeouts;
    this.#draining = true;
    for (const downstream of this.#admitted.downstreams()) downstream.drain({ now: drainDelay === 0 });
    if (drainDelay > 0) await sleep(drainDelay);
    this.#accepting = false;
    this.#listener.close();
    for (const downstream of this.#admitted.downstreams()) downstream.drain({ now: true });
    const { empty } = this.#listener;
    await Promise.race([empty(), sleep(drain, undefined, { ref: false })]);
    for (const downstream of this.#admitted.downstreams()) downstream.abort();
    await Promise.race([empty(), sleep(FAREWELL_MS, undefined, { ref: false })]);
    this.#listener.abort();
    await empty();
    this.#admitted.close();
    this.#pools.close();
  }

  #onSecure(inbound: Inbound, socket: TLSSocket): void {
    const peer = readPeer(socket);
    const judge = () => authorizeClient(this.#claim(inbound, peer), this.#policy.identity);
    const judgement = judge();
    const { unseen, revocation } = judgement;
    if (unseen === null || revocation?.status !== 'unknown') {
      if (unseen !== null) void this.#contacts.tell(unseen);
      return this.#receive({ inbound, socket, peer }, judgement);
    }
    const limit = this.#policy.identity.revocation.get(unseen.anchor)?.policy.firstContact ?? 0;
    void this.#contacts.await(unseen, limit).then(() => {
      if (!socket.destroyed) return this.#receive({ inbound, socket, peer }, judge());
      inbound.record({ ...unjudged, peer, verdict: 'failed', reason: 'reset', detail: null });
    });
  }

  #claim(inbound: Inbound, peer: Peer, { admission }: Pick<Policy, 'admission'> = this.#policy): Claim {
    return { source: { allowed: mayCall(inbound, admission) }, peer, now: Date.now() };
  }

  #receive(visitor: Visitor, { verdict, revocation }: Judgement): void {
    const { inbound, socket, peer } = visitor;
    const { meter } = this.#recorder;
    if (revocation !== null)
      meter.count('ehi_revocation_checks_total', [revocation.anchor, revocation.status]);
    const facts = {
      peer,
      opensslCode: peer.opensslCode,
      generation: this.#policy.snapshot.generation,
      revocation: revocation?.status ?? null,
      shadow: this.#rehearse(visitor, verdict),
    };
    if (!verdict.allow) {
      const { reason, detail } = verdict;
      inbound.record({ ...facts, verdict: 'deny', reason, detail, leaf: describe(peer), anchor: null });
      return this.#refuse(inbound, socket, reason);
    }
    const { leaf, anchor, issuer } = verdict.permit;
    inbound.record({ ...facts, verdict: 'allow', reason: null, detail: null, leaf: factsOf(leaf), anchor });
    meter.clientCertificate(leaf.subject, leaf.notAfter);
    meter.lastHandshake([anchor, issuer.subject, issuer.sha256], Date.now());
    this.#welcome(visitor, verdict.permit);
  }

  /** What the rehearsed policy would have said. Candidates' leaves are looked after once they are let in by an anchor. */
  #rehearse({ inbound, peer }: Visitor, verdict: Judgement['verdict']): ShadowFacts | null {
    const { shadow } = this.#policy;
    if (shadow === null) return null;
    const { anchor, denials, unseen } = rehearse(this.#claim(inbound, peer, shadow), shadow.identity);
    if (verdict.allow && unseen !== null) void this.#contacts.tell(unseen);
    const reasons = denials.map(({ reason }) => reason);
    const would = reasons.length === 0 ? 'allow' : 'deny';
    const { meter } = this.#recorder;
    meter.count('ehi_shadow_handshakes_total', [would, verdict.allow ? 'allow' : 'deny']);
    for (const reason of reasons) meter.count('ehi_shadow_denials_total', [reason]);
    return { verdict: would, reasons, anchor };
  }

  #welcome({ inbound, socket }: Visitor, permit: ClientPermit): void {
    const client: Admitted = { inbound, socket, permit, downstream: null, state: 'permitted' };
    const downstream = new Downstream({
      socket,
      transport: inbound.transport,
      caller: { connId: inbound.connId, permit, address: inbound.address, port: inbound.port },
      policy: () => this.#policy.relay,
      permitted: () => this.#admitted.isPermitted(client),
      recorder: this.#recorder,
    });
    client.downstream = downstream;
    this.#admitted.add(client);
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
