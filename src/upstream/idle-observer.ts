/** Learns the idle limit of a host (idle-limit.ts) from its idle connections, and reports changes. */
import type { UpstreamConnection } from './connection.ts';
import type { EndpointRecorder } from './endpoint-recorder.ts';
import { IdleLimit } from './idle-limit.ts';

/** Connections that a host closes within this time, milliseconds, count as closed together. */
const TOGETHER_MS = 50;
/** A limit above this share of the logged one is not logged again. */
const NOTABLE = 0.95;

export class IdleObserver {
  readonly limit: IdleLimit;
  readonly #report: EndpointRecorder;
  /** Expired, and left open to see how long the host keeps it; one at a time. */
  #probe: UpstreamConnection | null = null;
  /** The longest idle time of the connections that the host is closing now. */
  #closedAfter = 0;
  #timer: NodeJS.Timeout | null = null;
  /** The limit that was logged last. */
  #logged: number;

  /** `configured`: milliseconds. */
  constructor(configured: number, report: EndpointRecorder) {
    this.#report = report;
    this.limit = new IdleLimit(configured);
    this.#logged = configured;
    report.idleLimit(configured);
  }

  /**
   * The host closed a connection that was idle for `idleMs`, perhaps just after a message was sent on it. A host that
   * restarts closes connections of all ages together: the oldest of them shows how long it keeps them.
   */
  closed(idleMs: number): void {
    this.#closedAfter = Math.max(this.#closedAfter, idleMs);
    this.#timer ??= setTimeout(() => this.#learn(), TOGETHER_MS).unref();
  }

  /** Takes an expired connection: keeps it open as a probe of the host's limit, or closes it. */
  retire(connection: UpstreamConnection): void {
    if (this.limit.shortened && this.#probe === null && !connection.ended) this.#probe = connection;
    else connection.destroy();
  }

  /** There is a probe: `checkProbe` must be called from time to time. */
  get probing(): boolean {
    return this.#probe !== null;
  }

  /** Raises the limit if the host kept the probe open for long enough; `now`: performance.now(), ms. */
  checkProbe(now: number): void {
    const probe = this.#probe;
    if (probe === null) return;
    const idleMs = now - probe.idleSince;
    if (!probe.ended && idleMs < this.limit.proof) return;
    this.#probe = null;
    if (!probe.ended && this.limit.keptFor(idleMs)) this.#reportRise();
    probe.destroy();
  }

  /** Closes the probe. */
  stop(): void {
    this.#probe?.destroy();
    this.#probe = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #learn(): void {
    this.#timer = null;
    const closedAfter = this.#closedAfter;
    this.#closedAfter = 0;
    if (!this.limit.closedAfter(closedAfter)) return;
    this.#report.idleLimit(this.limit.current);
    if (this.limit.current >= this.#logged * NOTABLE) return;
    this.#logged = this.limit.current;
    this.#report.idleLimitLowered({ closedAfter, limit: this.limit.current });
  }

  #reportRise(): void {
    this.#report.idleLimit(this.limit.current);
    // Only the end of the recovery is logged.
    if (this.limit.shortened) return;
    this.#logged = this.limit.current;
    this.#report.idleLimitRestored(this.limit.current);
  }
}
