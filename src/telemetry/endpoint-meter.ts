/** Counts of one upstream endpoint in one relay thread, written to by its pools. */

export type ConnectResult = 'ok' | 'connect_failed' | 'connect_timeout' | 'upstream_tls';
export type CheckResult = 'passed' | 'failed';

/** What changed since the last time it was asked. */
export interface EndpointDelta {
  readonly endpoint: string;
  readonly connects: Readonly<Record<ConnectResult, number>>;
  readonly checks: Readonly<Record<CheckResult, number>>;
  readonly ejections: number;
  /** The gauges as they stand, not a difference. */
  readonly pools: number;
  readonly ejected: number;
  readonly idle: number;
  readonly inUse: number;
}

export class EndpointMeter {
  /** Pools of this endpoint, and how many of them pass it over; their owners add and subtract. */
  pools = 0;
  ejected = 0;
  /** Connections that wait, and connections that carry a message; they add and subtract themselves. */
  idle = 0;
  inUse = 0;

  readonly #endpoint: string;
  #connects = noConnects();
  #checks = noChecks();
  #ejections = 0;
  #changed = false;
  #taken: readonly number[] = [];

  /** `endpoint` comes from the configuration, never from a client. */
  constructor(endpoint: string) {
    this.#endpoint = endpoint;
  }

  connect(result: ConnectResult): void {
    this.#connects[result]++;
    this.#changed = true;
  }

  check(result: CheckResult): void {
    this.#checks[result]++;
    this.#changed = true;
  }

  ejection(): void {
    this.#ejections++;
    this.#changed = true;
  }

  /** Null when nothing changed since the last call. */
  take(): EndpointDelta | null {
    const { pools, ejected, idle, inUse } = this;
    const [wasPools, wasEjected, wasIdle, wasInUse] = this.#taken;
    const stands = pools === wasPools && ejected === wasEjected && idle === wasIdle && inUse === wasInUse;
    if (stands && !this.#changed) return null;
    const delta: EndpointDelta = {
      endpoint: this.#endpoint,
      connects: this.#connects,
      checks: this.#checks,
      ejections: this.#ejections,
      pools,
      ejected,
      idle,
      inUse,
    };
    this.#connects = noConnects();
    this.#checks = noChecks();
    this.#ejections = 0;
    this.#changed = false;
    this.#taken = [pools, ejected, idle, inUse];
    return delta;
  }
}

function noConnects(): Record<ConnectResult, number> {
  return { ok: 0, connect_failed: 0, connect_timeout: 0, upstream_tls: 0 };
}

function noChecks(): Record<CheckResult, number> {
  return { passed: 0, failed: 0 };
}
