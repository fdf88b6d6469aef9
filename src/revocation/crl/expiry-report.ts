/** Reports once when a CRL expires, and once when its grace period is over. */
import { maxDelay, type Timers } from '../../fetch/timers.ts';

export type CrlExpiryAction = 'crl_stale' | 'crl_expired';

interface CrlExpiryOptions {
  readonly clock: () => number;
  readonly timers: Timers;
  readonly grace: () => number;
  /** `end`: when the CRL expired, ms since the epoch. */
  readonly onExpiry: (action: CrlExpiryAction, end: number) => void;
}

export class CrlExpiry {
  readonly #options: CrlExpiryOptions;
  #end: number | null = null;
  #reported: CrlExpiryAction | null = null;
  #timer: unknown = null;

  constructor(options: CrlExpiryOptions) {
    this.#options = options;
  }

  /** Sets when the CRL in use expires, as `crlEnd` returns it; null: no CRL. The same time is not reported again. */
  track(end: number | null): void {
    if (end !== this.#end) this.#reported = null;
    this.#end = end;
    this.check();
  }

  /** Compares with the clock now; needed when the clock or the grace period has changed. */
  check(): void {
    const { clock, timers, grace, onExpiry } = this.#options;
    this.stop();
    const end = this.#end;
    if (end === null) return;
    const now = clock();
    const last = end + grace();
    const action = now > last ? 'crl_expired' : now > end ? 'crl_stale' : null;
    if (action !== null && action !== this.#reported) onExpiry(action, end);
    this.#reported = action;
    if (action === 'crl_expired') return;
    const next = action === null ? end : last;
    this.#timer = timers.setTimeout(() => this.check(), Math.min(next - now + 1, maxDelay));
  }

  stop(): void {
    if (this.#timer !== null) this.#options.timers.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
