/** The rooms in order, for one relay thread: source, handshake, identity, message, relay, upstream. */
import { setTimeout as sleep } from 'node:timers/promises';
import { admit } from './admission.ts';
import { type Admitted, AdmittedClients } from './admitted.ts';
import { compilePolicy, type Policy } from './compile.ts';
import { type ContactKey, FirstContacts } from './first-contact.ts';
import { Listener, type ListenOptions } from './handshake/listener.ts';
import type { ClientPermit, UnseenLeaf } from './identity/authorize.ts';
import { LoopDelay } from './loop-delay.ts';
import type { PolicySnapshot } from './policy/snapshot.ts';
import { describeLeaf, Reception, type Visitor } from './reception.ts';
import { ClientAccounts } from './relay/client-accounts.ts';
import { Downstream } from './relay/downstream.ts';
import { HandshakeRate } from './source/handshake-rate.ts';
import type { Recorder } from './telemetry/recorder.ts';
import { Pools } from './upstream/pools.ts';

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
  readonly #delay = new LoopDelay();
  readonly #handshakes = new HandshakeRate();
  readonly #accounts = new ClientAccounts();
  readonly #contacts: FirstContacts;
  readonly #admitted: AdmittedClients;
  #policy: Policy;
  #draining = false;
  #accepting = true;

  constructor({ snapshot, listen, recorder, onUnseen }: GatewayOptions) {
    this.#recorder = recorder;
    this.#pools = new Pools(recorder);
    this.#policy = compilePolicy(snapshot, { pools: this.#pools, meter: recorder.meter, last: null });
    const contacts = new FirstContacts(onUnseen);
    this.#contacts = contacts;
    this.#admitted = new AdmittedClients({ policy: () => this.#policy, contacts, recorder });
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
        })),
      onSecure: (inbound, socket) => reception.receive(inbound, socket),
      describeLeaf,
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
    this.#pools.close();
  }

  #welcome({ inbound, socket }: Visitor, permit: ClientPermit): void {
    const account = this.#accounts.open(permit.leaf.sha256);
    const client: Admitted = { inbound, socket, permit, downstream: null, state: 'permitted' };
    const downstream = new Downstream({
      socket,
      transport: inbound.transport,
      caller: { connId: inbound.connId, permit, address: inbound.address, port: inbound.port },
      account,
      policy: () => this.#policy.relay,
      permitted: () => this.#admitted.isPermitted(client),
      // It has waited that long before it was even read: with the default EHI has given it up, and the host need not know.
      overloaded: () => this.#delay.current > this.#policy.snapshot.limits.delay,
      recorder: this.#recorder,
    });
    client.downstream = downstream;
    const place = this.#admitted.enter(client);
    socket.once('close', () => {
      this.#accounts.close(account);
      this.#admitted.leave(place);
    });
    if (this.#draining) downstream.drain({ now: !this.#accepting });
  }
}
