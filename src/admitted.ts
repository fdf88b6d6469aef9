/** The clients that were let in: judged again when the policy changes, or something that their permit rests on ends. */
import type { Socket } from 'node:net';
import { mayCall } from './admission.ts';
import { leafJson, liveLine } from './audit/record.ts';
import type { Policy } from './compile.ts';
import type { FirstContacts } from './first-contact.ts';
import type { Inbound } from './handshake/inbound.ts';
import { authorizeClient, type ClientPermit } from './identity/authorize.ts';
import type { Denial } from './identity/verdict.ts';
import type { Downstream } from './relay/downstream.ts';
import type { Recorder } from './telemetry/recorder.ts';

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
  readonly #clients = new Set<Admitted>();
  readonly #sweep: NodeJS.Timeout;

  constructor(options: AdmittedOptions) {
    this.#options = options;
    this.#sweep = setInterval(() => this.#judgeEnded(), SWEEP_MS).unref();
  }

  downstreams(): Downstream[] {
    return [...this.#clients].flatMap(({ downstream }) => downstream ?? []);
  }

  /** From now until its socket closes. */
  add(client: Admitted): void {
    this.#clients.add(client);
    this.#count(client.permit, 1);
    client.socket.once('close', () => {
      this.#clients.delete(client);
      this.#count(client.permit, -1);
    });
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
    for (const client of [...this.#clients]) {
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
    for (const client of this.#clients) {
      if (client.state === 'permitted' && now >= client.permit.validUntil) this.#judge(client, now);
    }
  }

  /** As at a resumption: the handshake proved who it is, so everything but that is asked again. */
  #judge(client: Admitted, now: number): void {
    const { policy, contacts } = this.#options;
    const { admission, identity } = policy();
    const source = { allowed: mayCall(client.inbound, admission) };
    const peer = { leaf: client.permit.leaf.x509, authorized: true, resumed: true };
    const { verdict, unseen } = authorizeClient({ source, peer, now }, identity);
    if (verdict.allow) {
      this.#count(client.permit, -1);
      client.permit = verdict.permit;
      this.#count(client.permit, 1);
      if (unseen !== null) void contacts.tell(unseen);
    } else if (unseen === null || verdict.reason === 'revoked' || client.state === 'asking') {
      this.#withdraw(client, verdict);
    } else {
      // A new policy asks about revocation where nobody did before: its answer gets the time that a new client's gets.
      client.state = 'asking';
      const limit = identity.revocation.get(unseen.anchor)?.policy.firstContact ?? 0;
      void contacts.await(unseen, limit).then(() => {
        if (client.state !== 'asking') return;
        this.#judge(client, Date.now());
        if ((client.state as Admitted['state']) === 'asking') client.state = 'permitted';
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

  /** Soft-fail is never silent: how many are let in on an unknown is seen at every scrape. */
  #count({ revocation }: ClientPermit, change: 1 | -1): void {
    if (revocation === 'unknown') this.#options.recorder.meter.softFailing += change;
  }
}
