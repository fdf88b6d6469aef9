/** Tells once that a CRL has ended, and once that its grace has. */
import { longestPause, type Timers } from '../../fetch/pause.ts';

export type CrlEnding = 'crl_stale' | 'crl_expired';

export interface CrlEndOptions {
  readonly clock: () => number;
  readonly timers: Timers;
  readonly grace: () => number;
  /** `end`: what has passed, as `crlEnd` tells it, ms since the epoch. */
  readonly onEnding: (ending: CrlEnding, end: number) => void;
}

export class CrlEnd {
  readonly #options: CrlEndOptions;
  #end: number | null = null;
  #told: CrlEnding | null = null;
  #timer: unknown = null;

  constructor(options: CrlEndOptions) {
    this.#options = options;
  }

  /** Looks after the end of another CRL, or of none; the same end is not told again. */
  watch(end: number | null): void {
    if (end !== this.#end) this.#told = null;
    this.#end = end;
    this.look();
  }

  /** Looks at the clock now: the grace may have changed. */
  look(): void {
    const { clock, timers, grace, onEnding } = this.#options;
    this.clear();
    const end = this.#end;
    if (end === null) return;
    const now = clock();
    const last = end + grace();
    const ending = now > last ? 'crl_expired' : now > end ? 'crl_stale' : null;
    if (ending !== null && ending !== this.#told) onEnding(ending, end);
    this.#told = ending;
    if (ending === 'crl_expired') return;
    const next = ending === null ? end : last;
    this.#timer = timers.setTimeout(() => this.look(), Math.min(next - now + 1, longestPause));
  }

  clear(): void {
    if (this.#timer !== null) this.#options.timers.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
