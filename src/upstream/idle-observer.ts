/** Learns from connections that wait how long the host lets them (idle-limit.ts), and reports what changes. */
import type { EndpointMeter } from '../telemetry/endpoint-meter.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { UpstreamConnection } from './connection.ts';
import { IdleLimit } from './idle-limit.ts';

/** Connections that a host closes within this time, milliseconds, it closes together. */
const TOGETHER_MS = 50;
/** A limit that changed by less is not worth a line. */
const NOTABLE = 0.95;

interface IdleWatchOptions {
  readonly endpoint: string;
  /** Milliseconds. */
  readonly configured: number;
  readonly meter: EndpointMeter;
  readonly recorder: Recorder;
}

export class IdleWatch {
  readonly limit: IdleLimit;
  readonly #options: IdleWatchOptions;
  /** Too old for a message, and left open to see how long the host keeps it: one at a time. */
  #kept: UpstreamConnection | null = null;
  /** The longest that any connection had waited of those that the host closes now. */
  #closedAfter = 0;
  #timer: NodeJS.Timeout | null = null;
  /** The limit that the log knows. */
  #told: number;

  constructor(options: IdleWatchOptions) {
    this.#options = options;
    this.limit = new IdleLimit(options.configured);
    this.#told = options.configured;
    options.meter.idleLimit = options.configured;
  }

  /**
   * The host closed a connection that had waited so long, milliseconds, or one that a message had just been sent on.
   * A host that restarts closes all at once, whatever their age: the oldest of them says how long it had let them wait.
   */
  closed(age: number): void {
    this.#closedAfter = Math.max(this.#closedAfter, age);
    this.#timer ??= setTimeout(() => this.#judge(), TOGETHER_MS).unref();
  }

  /** No message gets this one any more: it shows how long the host keeps it, or is closed. */
  retire(connection: UpstreamConnection): void {
    if (this.limit.shortened && this.#kept === null && !connection.ended) this.#kept = connection;
    else connection.destroy();
  }

  /** One is left open, and must be looked at. */
  get looking(): boolean {
    return this.#kept !== null;
  }

  /** Looks at the one that was left open; `now`: performance.now(), ms. */
  look(now: number): void {
    const kept = this.#kept;
    if (kept === null) return;
    const age = now - kept.idleSince;
    if (!kept.ended && age < this.limit.proof) return;
    this.#kept = null;
    if (!kept.ended && this.limit.keptFor(age)) this.#report();
    kept.destroy();
  }

  /** Closes the one that was left open. */
  stop(): void {
    this.#kept?.destroy();
    this.#kept = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #judge(): void {
    this.#timer = null;
    const age = this.#closedAfter;
    this.#closedAfter = 0;
    if (!this.limit.closedAfter(age)) return;
    const { endpoint, recorder, meter } = this.#options;
    meter.idleLimit = this.limit.current;
    if (this.limit.current >= this.#told * NOTABLE) return;
    this.#told = this.limit.current;
    recorder.log('warn', 'an upstream endpoint closes waiting connections; they are used for less time', {
      endpoint,
      closed_after_ms: Math.round(age),
      idle_limit_ms: Math.round(this.limit.current),
    });
  }

  #report(): void {
    const { endpoint, recorder, meter } = this.#options;
    meter.idleLimit = this.limit.current;
    // On the way up the log hears of the end alone.
    if (this.limit.shortened) return;
    this.#told = this.limit.current;
    recorder.log(
      'info',
      'an upstream endpoint keeps waiting connections open; they are used for their full time',
      {
        endpoint,
        idle_limit_ms: Math.round(this.limit.current),
      },
    );
  }
}
