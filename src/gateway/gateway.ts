/** The rooms in order, for one relay thread: source, handshake, identity, message, relay, upstream. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Inbound } from '../handshake/inbound.ts';
import { Listener, type ListenOptions } from '../handshake/listener.ts';
import type { ClientPermit } from '../identity/authorize.ts';
import type { UnseenLeaf } from '../identity/client-checks.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { ClientAccounts } from '../relay/client-accounts.ts';
import { Downstream } from '../relay/downstream.ts';
import { AddressShares } from '../source/address-share.ts';
import { HandshakeCosts } from '../source/handshake-cost.ts';
import { HandshakeRate } from '../source/handshake-rate.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { Pools } from '../upstream/pools.ts';
import { admit } from './admission.ts';
import { type Admitted, AdmittedClients } from './admitted.ts';
import { type ContactKey, FirstContacts } from './first-contact.ts';
import { FloodWatch } from './flood-watch.ts';
import { LoopDelay } from './loop-delay.ts';
import { compilePolicy, type Policy } from './policy.ts';
import { describeLeaf, Reception, type Visitor } from './reception.ts';

/** What a connection that was closed for its flood counts as, CPU time in ms: its address waits for seconds. */
const FLOOD_MS = 250;
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
  readonly #delay = new LoopDelay({ onLongTurn: () => this.#floods.look() });
  readonly #handshakes = new HandshakeRate();
  readonly #costs = new HandshakeCosts();
  readonly #shares = new AddressShares();
  readonly #accounts = new ClientAccounts();
  readonly #contacts: FirstContacts;
  readonly #admitted: AdmittedClients;
  readonly #floods: FloodWatch;
  #policy: Policy;
  #draining = false;
  #accepting = true;
  #refuseMessages = false;

  constructor({ snapshot, listen, recorder, onUnseen }: GatewayOptions) {
    this.#recorder = recorder;
    this.#pools = new Pools(recorder);
    this.#policy = compilePolicy(snapshot, { pools: this.#pools, meter: recorder.meter, last: null });
    const contacts = new FirstContacts(onUnseen);
    this.#contacts = contacts;
    this.#admitted = new AdmittedClients({ policy: () => this.#policy, contacts, recorder });
    this.#floods = new FloodWatch({
      snapshot: () => this.#policy.snapshot,
      recorder,
      onFlood: (inbound) => this.#charge(inbound, FLOOD_MS),
    });
    const reception = new Reception({
      policy: () => this.#policy,
      contacts,
      recorder,
      welcome: (visitor, permit) => this.#welcome(visitor, permit),
    });
    this.#listener = new Listener({
      listen,
      snapshot,
      recorder,
      admit: (inbound) =>
        admit(inbound, this.#policy.admission, () => ({
          connections: recorder.meter.connections,
          unfinished: this.#listener.unfinished,
          delay: this.#delay.current,
          handshakes: this.#handshakes,
          costs: this.#costs,
          shares: this.#shares,
        })),
      onClose: (inbound) => this.#charge(inbound, inbound.inspector?.cpuMs ?? 0),
      onSecure: (inbound, socket) => {
        const check = this.#floods.enter(inbound, socket);
        inbound.inspector?.handshakeDone(socket, check);
        reception.receive(inbound, socket);
      },
      describeLeaf: (leaf) => describeLeaf(leaf, this.#policy),
    });
    recorder.meter.load = () => ({
      unfinishedHandshakes: this.#listener.unfinished,
      delay: this.#delay.current,
    });
  }

  /** Throws GatewayError ADDRESS_IN_USE or LISTEN. */
  listen(): Promise<{ address: string; port: number }> {
    return this.#listener.open();
  }

  /** From now on everything is judged by this: new connections, the open ones, and their next messages. */
  update(snapshot: PolicySnapshot): void {
    const { meter } = this.#recorder;
    this.#policy = compilePolicy(snapshot, { pools: this.#pools, meter, last: this.#policy });
    this.#listener.update(snapshot);
    void this.#admitted.judgeAll();
  }

  /** Whether new messages are refused, since their audit records cannot be written. */
  refuseMessages(refuse: boolean): void {
    this.#refuseMessages = refuse;
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
    this.#delay.close();
    this.#floods.close();
    this.#pools.close();
  }

  /** Named addresses are many callers at once, or one that is known: they never wait for another connection's doing. */
  #charge(inbound: Inbound, spent: number): void {
    if (inbound.share !== null) this.#costs.charge(inbound.address, { spent, now: performance.now() });
  }

  #welcome({ inbound, socket }: Visitor, permit: ClientPermit): void {
    const account = this.#accounts.open(permit.leaf.tbsSha256);
    const client: Admitted = { inbound, socket, permit, downstream: null, state: 'permitted' };
    const downstream = new Downstream({
      socket,
      transport: inbound.transport,
      caller: { connId: inbound.connId, permit, address: inbound.address, port: inbound.port },
      account,
      policy: () => this.#policy.relay,
      permitted: () => this.#admitted.isPermitted(client),
      auditUnavailable: () => this.#refuseMessages,
      // It has waited that long before it was even read: with the default EHI has given it up, and the host need not know.
      overloaded: () => this.#delay.current > this.#policy.snapshot.limits.delay,
      recorder: this.#recorder,
    });
    client.downstream = downstream;
    const entry = this.#admitted.enter(client);
    socket.once('close', () => {
      this.#accounts.close(account);
      this.#admitted.leave(entry);
    });
    if (this.#draining) downstream.drain({ now: !this.#accepting });
  }
}
