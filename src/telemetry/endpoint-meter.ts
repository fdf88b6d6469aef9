/** Counts of one upstream endpoint in one relay thread, written to by its pools. */
import { increment } from './counts.ts';

type ConnectFailureReason = 'connect_failed' | 'connect_timeout' | 'upstream_tls';
export type ConnectResult = 'ok' | ConnectFailureReason;
export type CheckResult = 'passed' | 'failed';

/** A connection that was not made, or was refused by TLS once it was. */
export interface EndpointFailure {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly reason: ConnectFailureReason;
  /** A code of the system, of OpenSSL or of the gateway's own. */
  readonly cause: string;
}

/** A message that a connection carried, and that came to nothing by the host's doing. */
export interface EndpointMessageFailure {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Of the table of messages (message/message-reasons.ts). */
  readonly reason: string;
  readonly cause: string;
}

export interface EndpointCheck {
  /** Milliseconds since the epoch: when it ended. */
  readonly at: number;
  /** As above, or `status 503`; null: it passed. */
  readonly cause: string | null;
}

/** What changed since the last time it was asked. */
export interface EndpointDelta {
  readonly endpoint: string;
  readonly connects: Readonly<Record<ConnectResult, number>>;
  readonly checks: Readonly<Record<CheckResult, number>>;
  readonly messageFailures: readonly (readonly [reason: string, count: number])[];
  readonly ejections: number;
  /** The gauges as they stand, not a difference. */
  readonly pools: number;
  readonly ejected: number;
  readonly idle: number;
  readonly inUse: number;
  /** Milliseconds. */
  readonly idleLimit: number;
  /** The last ones there were; null: none yet. */
  readonly lastFailure: EndpointFailure | null;
  readonly lastCheck: EndpointCheck | null;
  readonly lastMessageFailure: EndpointMessageFailure | null;
}

export class EndpointMeter {
  /** Pools of this endpoint, and how many of them pass it over; their owners add and subtract. */
  pools = 0;
  ejected = 0;
  /** Connections that wait, and connections that carry a message; they add and subtract themselves. */
  idle = 0;
  inUse = 0;
  /** For how long connections wait for their next message now, milliseconds; its owner sets it. */
  idleLimit = 0;

  readonly #endpoint: string;
  #connects = noConnects();
  #checks = noChecks();
  readonly #messageFailures = new Map<string, number>();
  #ejections = 0;
  #lastMessageFailure: EndpointMessageFailure | null = null;
  #lastFailure: EndpointFailure | null = null;
  #lastCheck: EndpointCheck | null = null;
  #changed = false;
  #taken: readonly number[] = [];

  /** `endpoint` comes from the configuration, never from a client. */
  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  connected(): void {
    this.#connects.ok++;
    this.#changed = true;
  }

  failed(failure: EndpointFailure): void {
    this.#connects[failure.reason]++;
    this.#lastFailure = failure;
    this.#changed = true;
  }

  checked(check: EndpointCheck): void {
    this.#checks[check.cause === null ? 'passed' : 'failed']++;
    this.#lastCheck = check;
    this.#changed = true;
  }

  messageFailed(failure: EndpointMessageFailure): void {
    increment(this.#messageFailures, failure.reason);
    this.#lastMessageFailure = failure;
    this.#changed = true;
  }

  ejection(): void {
    this.#ejections++;
    this.#changed = true;
  }

  /** Null when nothing changed since the last call. */
  take(): EndpointDelta | null {
    const { pools, ejected, idle, inUse, idleLimit } = this;
    const taken = [pools, ejected, idle, inUse, idleLimit];
    const stands = taken.every((value, index) => value === this.#taken[index]);
    if (stands && !this.#changed) return null;
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
