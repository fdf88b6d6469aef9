/** The counts of one upstream endpoint in one relay thread; its pools write to it. */
import { increment } from './bucket-counts.ts';

type ConnectFailureReason = 'connect_failed' | 'connect_timeout' | 'upstream_tls';
export type ConnectResult = 'ok' | ConnectFailureReason;
export type CheckResult = 'passed' | 'failed';

/** A connection attempt that failed, or a connection that TLS refused afterwards. */
export interface EndpointFailure {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly reason: ConnectFailureReason;
  /** A code of the system, of OpenSSL or of the gateway. */
  readonly cause: string;
}

/** A message that failed on an established connection because of the host. */
export interface EndpointMessageFailure {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Of the table of messages (message/message-reasons.ts). */
  readonly reason: string;
  readonly cause: string;
}

export interface EndpointCheck {
  /** When the check ended; milliseconds since the epoch. */
  readonly at: number;
  /** A code as above, or `status 503`; null: the check passed. */
  readonly cause: string | null;
}

/**
 * What happened, in the order of all threads: microseconds of a clock that cannot be set. By the times of the records the
 * last one before the clock was set back would stay the last.
 */
export type Ordered<Occurrence> = Occurrence & { readonly order: number };

function ordered<Occurrence extends object>(occurrence: Occurrence): Ordered<Occurrence> {
  return { ...occurrence, order: Number(process.hrtime.bigint() / 1000n) };
}

/** The changes since the last `take`. */
export interface EndpointDelta {
  readonly endpoint: string;
  readonly connects: Readonly<Record<ConnectResult, number>>;
  readonly checks: Readonly<Record<CheckResult, number>>;
  readonly messageFailures: readonly (readonly [reason: string, count: number])[];
  readonly ejections: number;
  /** From here on current values, not differences. */
  readonly pools: number;
  readonly ejected: number;
  readonly idle: number;
  readonly inUse: number;
  /** Milliseconds. */
  readonly idleLimit: number;
  /** The most recent of each kind; null: none yet. */
  readonly lastFailure: Ordered<EndpointFailure> | null;
  readonly lastCheck: Ordered<EndpointCheck> | null;
  readonly lastMessageFailure: Ordered<EndpointMessageFailure> | null;
}

export class EndpointMeter {
  /** Pools of this endpoint, and how many of them have ejected it; their owners add and subtract. */
  pools = 0;
  ejected = 0;
  /** Idle connections, and connections that carry a message; the connections add and subtract themselves. */
  idle = 0;
  inUse = 0;
  /** Current maximum idle time of a connection, milliseconds; the pool sets it. */
  idleLimit = 0;

  readonly #endpoint: string;
  #connects = noConnects();
  #checks = noChecks();
  readonly #messageFailures = new Map<string, number>();
  #ejections = 0;
  #lastMessageFailure: Ordered<EndpointMessageFailure> | null = null;
  #lastFailure: Ordered<EndpointFailure> | null = null;
  #lastCheck: Ordered<EndpointCheck> | null = null;
  #changed = false;
  #taken: readonly number[] = [];

  /** `endpoint`: from the configuration, never from a client. */
  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  connected(): void {
    this.#connects.ok++;
    this.#changed = true;
  }

  failed(failure: EndpointFailure): void {
    this.#connects[failure.reason]++;
    this.#lastFailure = ordered(failure);
    this.#changed = true;
  }

  checked(check: EndpointCheck): void {
    this.#checks[check.cause === null ? 'passed' : 'failed']++;
    this.#lastCheck = ordered(check);
    this.#changed = true;
  }

  messageFailed(failure: EndpointMessageFailure): void {
    increment(this.#messageFailures, failure.reason);
    this.#lastMessageFailure = ordered(failure);
    this.#changed = true;
  }

  ejection(): void {
    this.#ejections++;
    this.#changed = true;
  }

  /** null: nothing changed since the last call. */
  take(): EndpointDelta | null {
    const { pools, ejected, idle, inUse, idleLimit } = this;
    const taken = [pools, ejected, idle, inUse, idleLimit];
    const isUnchanged = taken.every((value, index) => value === this.#taken[index]);
    if (isUnchanged && !this.#changed) return null;
    const delta: EndpointDelta = {
      endpoint: this.#endpoint,
      connects: this.#connects,
      checks: this.#checks,
      messageFailures: [...this.#messageFailures],
      ejections: this.#ejections,
      pools,
      ejected,
      idle,
      inUse,
      idleLimit,
      lastFailure: this.#lastFailure,
      lastCheck: this.#lastCheck,
      lastMessageFailure: this.#lastMessageFailure,
    };
    this.#messageFailures.clear();
    this.#connects = noConnects();
    this.#checks = noChecks();
    this.#ejections = 0;
    this.#changed = false;
    this.#taken = taken;
    return delta;
  }
}

function noConnects(): Record<ConnectResult, number> {
  return { ok: 0, connect_failed: 0, connect_timeout: 0, upstream_tls: 0 };
}

function noChecks(): Record<CheckResult, number> {
  return { passed: 0, failed: 0 };
}
