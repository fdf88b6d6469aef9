/** One relay thread: connects the rooms source, handshake, identity, message, relay and upstream. */
import type { Inbound } from '../handshake/inbound.ts';
import { Listener, type ListenOptions } from '../handshake/listener.ts';
import type { ClientPermit } from '../identity/authorize.ts';
import type { UnseenLeaf } from '../identity/client-checks.ts';
import type { Answer, Question } from '../policy/question.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import { ClientAccounts } from '../relay/client-accounts.ts';
import { Downstream } from '../relay/downstream.ts';
import { HeldBodies } from '../relay/held-bodies.ts';
import { AddressShares } from '../source/address-counts.ts';
import { HandshakeCosts } from '../source/handshake-cost.ts';
import { HandshakeRate } from '../source/handshake-rate.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { Pools } from '../upstream/pools.ts';
import { admit } from './admission.ts';
import { Authorizer, describeLeaf, type SecureConnection } from './authorization.ts';
import { type CompiledPolicy, compilePolicy } from './compiled-policy.ts';
import { drainConnections } from './drain.ts';
import { type ContactKey, FirstContacts } from './first-contact.ts';
import { LoopDelay } from './loop-delay.ts';
import { Questions } from './questions.ts';
import { type AuthorizedClient, AuthorizedClients } from './reauthorization.ts';
import { RecordFloodMonitor } from './record-flood.ts';

/** CPU time charged for a connection that was closed for a record flood, ms: its address has to wait for seconds. */
const FLOOD_MS = 250;

interface GatewayOptions {
  readonly snapshot: PolicySnapshot;
  readonly listen: ListenOptions;
  readonly recorder: Recorder;
  /** Requests the revocation status of a leaf that was not seen before; the reply is `firstContactDone`. */
  readonly onUnseen: (unseen: UnseenLeaf) => void;
  /** Asks the control thread; the reply is `answered`. */
  readonly onQuestion: (id: number, question: Question) => void;
}

export class Gateway {
  readonly #recorder: Recorder;
  readonly #listener: Listener;
  readonly #pools: Pools;
  readonly #delay = new LoopDelay({ onLongIteration: () => this.#recordFloods.checkAll() });
  readonly #handshakes = new HandshakeRate();
  readonly #costs = new HandshakeCosts();
  readonly #shares = new AddressShares();
  readonly #accounts = new ClientAccounts();
  readonly #held = new HeldBodies();
  readonly #contacts: FirstContacts;
  readonly #questions: Questions;
  readonly #clients: AuthorizedClients;
  readonly #recordFloods: RecordFloodMonitor;
  #policy: CompiledPolicy;
  #draining = false;
  #accepting = true;
  #refuseMessages = false;

  constructor({ snapshot, listen, recorder, onUnseen, onQuestion }: GatewayOptions) {
    this.#recorder = recorder;
    this.#pools = new Pools(recorder);
    this.#questions = new Questions(onQuestion);
    this.#policy = this.#compile(snapshot, null);
    const contacts = new FirstContacts(onUnseen);
    this.#contacts = contacts;
    this.#clients = new AuthorizedClients({ policy: () => this.#policy, contacts, recorder });
    this.#recordFloods = new RecordFloodMonitor({
      snapshot: () => this.#policy.snapshot,
      recorder,
      onFlood: (inbound) => this.#charge(inbound, FLOOD_MS),
    });
    const authorizer = new Authorizer({
      policy: () => this.#policy,
      contacts,
      recorder,
      onAuthorized: (connection, permit) => this.#onAuthorized(connection, permit),
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
        const check = this.#recordFloods.watch(inbound, socket);
        inbound.inspector?.handshakeDone(socket, check);
        authorizer.authorize(inbound, socket);
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

  /** Applies the snapshot to new connections, open connections and their next messages. */
  update(snapshot: PolicySnapshot): void {
    this.#policy = this.#compile(snapshot, this.#policy);
    this.#listener.update(snapshot);
    void this.#clients.reauthorizeAll();
  }

  #compile(snapshot: PolicySnapshot, last: CompiledPolicy | null): CompiledPolicy {
    const { meter } = this.#recorder;
    return compilePolicy(snapshot, { pools: this.#pools, meter, ask: this.#questions.ask, last });
  }

  /** The control thread has answered a question; the snapshot of the last `update` has what the answer depends on. */
  answered(id: number, answer: Answer): void {
    this.#questions.answered(id, answer);
  }

  /** Whether new messages are refused, since their audit records cannot be written. */
  refuseMessages(refuse: boolean): void {
    this.#refuseMessages = refuse;
  }

  /** The snapshot of the last `update` has the results of the leaf's revocation sources. */
  firstContactDone(contact: ContactKey): void {
    this.#contacts.complete(contact);
  }

  /** Resolves when all connections are closed: drain.ts. */
  async drain(): Promise<void> {
    this.#draining = true;
    await drainConnections({
      timeouts: this.#policy.snapshot.timeouts,
      listener: this.#listener,
      downstreams: () => this.#clients.downstreams(),
      onRefusing: () => {
        this.#accepting = false;
      },
    });
    this.#clients.close();
    this.#delay.close();
    this.#recordFloods.close();
    this.#pools.close();
  }

  /** Charges the CPU time to the address. Addresses on the allowlist are exempt: they have no share (admission.ts). */
  #charge(inbound: Inbound, spent: number): void {
    if (inbound.share !== null) this.#costs.charge(inbound.address, { spent, now: performance.now() });
  }

  #onAuthorized({ inbound, socket }: SecureConnection, permit: ClientPermit): void {
    const account = this.#accounts.open(accountNameOf(inbound, permit));
    const client: AuthorizedClient = { inbound, socket, permit, downstream: null, state: 'permitted' };
    const downstream = new Downstream({
      socket,
      transport: inbound.transport,
      caller: { connId: inbound.connId, permit, address: inbound.address, port: inbound.port },
      account,
      held: this.#held,
      policy: () => this.#policy.relay,
      permitted: () => this.#clients.isPermitted(client),
      auditUnavailable: () => this.#refuseMessages,
      // The message has already waited this long before it was read. With the default, EHI has timed it out by now.
      overloaded: () => this.#delay.current > this.#policy.snapshot.limits.delay,
      recorder: this.#recorder,
    });
    client.downstream = downstream;
    const entry = this.#clients.add(client);
    socket.on('close', () => {
      this.#accounts.close(account);
      this.#clients.remove(entry);
    });
    if (this.#draining) downstream.drain({ now: !this.#accepting });
  }
}

/** A client without a certificate is known by its address. No digest has a colon. */
function accountNameOf({ address }: Inbound, { leaf }: ClientPermit): string {
  return leaf === null ? `address:${address}` : leaf.tbsSha256;
}
