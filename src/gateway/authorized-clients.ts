/** The clients that were let in: judged again when the policy changes, or something that their permit rests on ends. */
import type { Socket } from 'node:net';
import { leafJson, liveLine } from '../audit/record.ts';
import type { Inbound } from '../handshake/inbound.ts';
import { authorizeClient, type ClientPermit } from '../identity/authorize.ts';
import type { Denial } from '../identity/verdict.ts';
import { LinkedSet, type LinkedSetEntry } from '../linked-set.ts';
import type { Downstream } from '../relay/downstream.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { mayCall } from './admission.ts';
import type { Policy } from './compiled-policy.ts';
import type { FirstContacts } from './first-contact.ts';
import { SoftFail } from './soft-fail.ts';

/** How often permits are looked at that end with time, ms. */
const SWEEP_MS = 1000;
/** So many clients are judged before messages have their turn again. */
const BATCH = 200;

export interface Admitted {
  readonly inbound: Inbound;
  readonly socket: Socket;
  permit: ClientPermit;
  /** Set once the relay has it. */
  downstream: Downstream | null;
  state: 'permitted' | 'asking' | 'withdrawn';
}

interface AdmittedOptions {
  readonly policy: () => Policy;
  readonly contacts: FirstContacts;
  readonly recorder: Recorder;
}

export class AdmittedClients {
  readonly #options: AdmittedOptions;
  readonly #clients = new LinkedSet<Admitted>();
  readonly #softFail: SoftFail;
  readonly #sweep: NodeJS.Timeout;

  constructor(options: AdmittedOptions) {
    this.#options = options;
    this.#softFail = new SoftFail(options.recorder);
    this.#sweep = setInterval(() => this.#judgeEnded(), SWEEP_MS).unref();
  }

  downstreams(): Downstream[] {
    return this.#clients.members().flatMap(({ downstream }) => downstream ?? []);
  }

  /** From now until `leave`. */
  enter(client: Admitted): LinkedSetEntry<Admitted> {
    if (isSoft(client.permit)) this.#softFail.begin(client.permit.anchor, performance.now());
    return this.#clients.add(client);
  }

  /** Its socket has closed. */
  leave(entry: LinkedSetEntry<Admitted>): void {
    const { permit } = entry.member as Admitted;
    if (isSoft(permit)) this.#softFail.end(permit.anchor, performance.now());
    this.#clients.delete(entry);
  }

  /** Whether its next message may be forwarded: with a permit of an older policy, or one that has ended, it is asked again. */
  isPermitted(client: Admitted): boolean {
    if (client.state === 'withdrawn') return false;
    const now = Date.now();
    const { generation } = this.#options.policy().snapshot;
    if (client.permit.generation !== generation || now >= client.permit.validUntil) this.#judge(client, now);
    return (client.state as Admitted['state']) !== 'withdrawn';
  }

  /** The policy has changed: everybody is judged, the idle at once, and nobody's message waits for all of them. */
  async judgeAll(): Promise<void> {
    const { generation } = this.#options.policy().snapshot;
    let judged = 0;
    for (const client of this.#clients.members()) {
      if (this.#options.policy().snapshot.generation !== generation) return;
      this.isPermitted(client);
      if (++judged % BATCH === 0) await new Promise(setImmediate);
    }
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  #judgeEnded(): void {
    const now = Date.now();
    for (const client of this.#clients.members()) {
      if (client.state === 'permitted' && now >= client.permit.validUntil) this.#judge(client, now);
    }
    this.#softFail.sweep(performance.now());
  }

  /** As at a resumption: the handshake proved who it is, so everything but that is asked again. */
  #judge(client: Admitted, now: number, { waited = false } = {}): void {
    // It left while others were judged, or its sources asked: nothing counts it any more.
    if (client.socket.closed) return;
    const { policy, contacts } = this.#options;
    const { admission, identity } = policy();
    const source = { allowed: mayCall(client.inbound, admission) };
    // What OpenSSL objected to at the handshake did not keep it out then: it is not remembered.
    const peer = { leaf: client.permit.leaf.x509, opensslCode: null };
    const { verdict, unseen } = authorizeClient({ source, peer, now }, identity);
    if (verdict.allow) {
      this.#permit(client, verdict.permit);
      if (unseen !== null) void contacts.tell(unseen);
    } else if (unseen === null || verdict.reason === 'revoked' || waited) {
      this.#withdraw(client, verdict);
    } else if (client.state === 'permitted') {
      // A new policy asks about revocation where nobody did before: its answer gets the time that a new client's gets,
      // and messages go on meanwhile, for none of them waits.
      client.state = 'asking';
      const limit = identity.revocation.get(unseen.anchor)?.policy.firstContact ?? 0;
      void contacts.await(unseen, limit).then(() => {
        if (client.state === 'asking') this.#judge(client, Date.now(), { waited: true });
      });
    }
  }

  #withdraw(client: Admitted, { reason, detail }: Denial): void {
    client.state = 'withdrawn';
    const { recorder } = this.#options;
    const { inbound, permit, downstream } = client;
    recorder.meter.count('ehi_permits_withdrawn_total', [reason]);
    recorder.audit(
      liveLine({
        time: Date.now(),
        connId: inbound.connId,
        sourceAddress: inbound.address,
        leaf: leafJson(permit.leaf),
        anchor: permit.anchor,
        generation: this.#options.policy().snapshot.generation,
        reason,
        detail,
      }),
    );
    downstream?.drain({ now: true });
  }

  #permit(client: Admitted, permit: ClientPermit): void {
    const before = client.permit;
    client.permit = permit;
    client.state = 'permitted';
    // A connection may stay open for longer than a leaf is shown that is not seen.
    this.#options.recorder.meter.clientCertificate(permit.leaf, Date.now());
    if (isSoft(before) && isSoft(permit) && before.anchor === permit.anchor) return;
    if (isSoft(before)) this.#softFail.end(before.anchor, performance.now());
    if (isSoft(permit)) this.#softFail.begin(permit.anchor, performance.now());
  }
}

function isSoft({ revocation }: ClientPermit): boolean {
  return revocation === 'unknown';
}
