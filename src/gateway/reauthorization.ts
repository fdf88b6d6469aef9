/** The authorized clients of open connections: authorized again after a policy change, and when their permit expires. */
import type { Socket } from 'node:net';
import type { Inbound } from '../handshake/inbound.ts';
import { authorizeClient, type ClientPermit } from '../identity/authorize.ts';
import type { Denial } from '../identity/verdict.ts';
import { LinkedSet, type LinkedSetEntry } from '../linked-set.ts';
import type { Downstream } from '../relay/downstream.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { isSourceAllowed } from './admission.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import type { FirstContacts } from './first-contact.ts';
import { withdrawPermit } from './permit-withdrawal.ts';
import { SoftFailMonitor } from './soft-fail-monitor.ts';

/** Interval of the check for expired permits, ms. */
const SWEEP_MS = 1000;
/** Clients that are authorized again in one event-loop iteration, so that messages are not delayed by all of them. */
const BATCH = 200;

export interface AuthorizedClient {
  readonly inbound: Inbound;
  readonly socket: Socket;
  permit: ClientPermit;
  /** null: not handed to the relay yet. */
  downstream: Downstream | null;
  state: 'permitted' | 'pending' | 'withdrawn';
}

interface AuthorizedClientsOptions {
  readonly policy: () => CompiledPolicy;
  readonly contacts: FirstContacts;
  readonly recorder: Recorder;
}

export class AuthorizedClients {
  readonly #options: AuthorizedClientsOptions;
  readonly #clients = new LinkedSet<AuthorizedClient>();
  readonly #softFail: SoftFailMonitor;
  readonly #sweep: NodeJS.Timeout;

  constructor(options: AuthorizedClientsOptions) {
    this.#options = options;
    this.#softFail = new SoftFailMonitor(options.recorder);
    this.#sweep = setInterval(() => this.#reauthorizeExpired(), SWEEP_MS).unref();
  }

  downstreams(): Downstream[] {
    return this.#clients.members().flatMap(({ downstream }) => downstream ?? []);
  }

  /** The client is authorized again when necessary, until `remove`. */
  add(client: AuthorizedClient): LinkedSetEntry<AuthorizedClient> {
    const anchor = softAnchorOf(client.permit);
    if (anchor !== null) this.#softFail.begin(anchor, performance.now());
    return this.#clients.add(client);
  }

  /** To be called once the client's socket has closed. */
  remove(entry: LinkedSetEntry<AuthorizedClient>): void {
    const anchor = softAnchorOf((entry.member as AuthorizedClient).permit);
    if (anchor !== null) this.#softFail.end(anchor, performance.now());
    this.#clients.delete(entry);
  }

  /**
   * Whether the client's next message may be forwarded. Authorizes the client again first if its permit has expired or
   * was issued under an older snapshot.
   */
  isPermitted(client: AuthorizedClient): boolean {
    if (client.state === 'withdrawn') return false;
    const now = Date.now();
    const { generation } = this.#options.policy().snapshot;
    if (client.permit.generation !== generation || now >= client.permit.validUntil)
      this.#reauthorize(client, now);
    return (client.state as AuthorizedClient['state']) !== 'withdrawn';
  }

  /** Authorizes all clients under the current policy, idle ones included, in batches; stops when the policy changes again. */
  async reauthorizeAll(): Promise<void> {
    const { generation } = this.#options.policy().snapshot;
    let authorized = 0;
    for (const client of this.#clients.members()) {
      if (this.#options.policy().snapshot.generation !== generation) return;
      this.isPermitted(client);
      if (++authorized % BATCH === 0) await new Promise(setImmediate);
    }
  }

  close(): void {
    clearInterval(this.#sweep);
  }

  #reauthorizeExpired(): void {
    const now = Date.now();
    for (const client of this.#clients.members()) {
      if (client.state === 'permitted' && now >= client.permit.validUntil) this.#reauthorize(client, now);
    }
    this.#softFail.sweep(performance.now());
  }

  /** Authorizes the client as on a resumed connection: all checks except the proof of possession, which the handshake gave. */
  #reauthorize(client: AuthorizedClient, now: number, { waited = false } = {}): void {
    // The connection closed while other clients were authorized or its revocation sources were awaited.
    if (client.socket.closed) return;
    const { policy, contacts } = this.#options;
    const { admission, identity } = policy();
    const source = { allowed: isSourceAllowed(client.inbound, admission) };
    // OpenSSL's error code of the handshake is not kept: it did not lead to a denial then.
    const peer = { leaf: client.permit.leaf?.x509 ?? null, opensslCode: null };
    const { verdict, unseen } = authorizeClient({ source, peer, now }, identity);
    if (verdict.allow) {
      this.#permit(client, verdict.permit);
      if (unseen !== null) void contacts.request(unseen);
    } else if (unseen === null || verdict.reason === 'revoked' || waited) {
      this.#withdraw(client, verdict);
    } else if (client.state === 'permitted') {
      // The new policy checks revocation where the old one did not. The revocation sources get as long as for a new client
      // (firstContact); messages are forwarded in the meantime.
      client.state = 'pending';
      const limit = identity.revocation.get(unseen.anchor)?.policy.firstContact ?? 0;
      void contacts.requestWithin(unseen, limit).then(() => {
        if (client.state === 'pending') this.#reauthorize(client, Date.now(), { waited: true });
      });
    }
  }

  #withdraw(client: AuthorizedClient, denial: Denial): void {
    client.state = 'withdrawn';
    const { recorder, policy } = this.#options;
    withdrawPermit(client, denial, { recorder, generation: policy().snapshot.generation });
  }

  #permit(client: AuthorizedClient, permit: ClientPermit): void {
    const before = client.permit;
    client.permit = permit;
    client.state = 'permitted';
    // Renews the expiry metric, which is dropped for certificates that have not been seen for some time.
    if (permit.leaf !== null) this.#options.recorder.meter.clientCertificate(permit.leaf, Date.now());
    const [ended, begun] = [softAnchorOf(before), softAnchorOf(permit)];
    if (ended === begun) return;
    if (ended !== null) this.#softFail.end(ended, performance.now());
    if (begun !== null) this.#softFail.begin(begun, performance.now());
  }
}

/** null: the revocation status of the client is known, or nothing has one. */
function softAnchorOf({ revocation, anchor }: ClientPermit): string | null {
  return revocation === 'unknown' ? anchor : null;
}
