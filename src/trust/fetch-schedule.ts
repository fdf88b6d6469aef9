/** When an anchor's sources are asked again, and when an approval is looked for: one timer or one task at a time. */
import { pause } from '../fetch/backoff.ts';
import type { Timers } from '../fetch/timers.ts';
import type { AnchorFeed } from './anchor-feed.ts';
import type { AnchorState } from './state.ts';

export interface ScheduleOptions {
  readonly feed: AnchorFeed;
  readonly timers: Timers;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Milliseconds between two fetches that succeed. */
  readonly refresh: () => number;
  /** After an approval, and after a fetch. */
  readonly onDone: (what: 'approval' | 'fetch') => void;
}

const approvalPause = 1000;

export class Schedule {
  readonly feed: AnchorFeed;
  readonly #options: ScheduleOptions;
  #timer: unknown;
  #failures = 0;
  /** Milliseconds from the last timer's start until the next fetch. */
  #left = 0;
  #running: Promise<void> = Promise.resolve();

  constructor(options: ScheduleOptions) {
    this.#options = options;
    this.feed = options.feed;
  }

  get state(): AnchorState | null {
    return this.feed.state;
  }

  /** `failures` in a row so far. */
  begin(failures: number): void {
    this.#failures = failures;
    this.#left = this.#pause();
    this.#wait();
  }

  /** Fetches now, unless it is being done, and soon again where that brings nothing. */
  now(): Promise<void> {
    if (this.#timer === undefined || this.feed.hasEnded) return this.#running;
    this.#options.timers.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#failures = 0;
    this.#running = this.#run({ fetches: true });
    return this.#running;
  }

  /** The pause between fetches was changed: a shorter one counts from now on, a longer one after the next fetch. */
  hasten(): void {
    const pause = this.#pause();
    if (this.#timer === undefined || pause >= this.#left) return;
    this.#options.timers.clearTimeout(this.#timer);
    this.#left = pause;
    this.#wait();
  }

  /** Resolves when nothing of it is running any more. */
  end(): Promise<void> {
    this.feed.end();
    if (this.#timer !== undefined) this.#options.timers.clearTimeout(this.#timer);
    this.#timer = undefined;
    return this.#running;
  }

  #pause(): number {
    const { refresh, random } = this.#options;
    return pause({ failures: this.#failures, refresh: refresh(), random: random() });
  }

  #wait(): void {
    if (this.feed.hasEnded) return;
    const looksOnly = this.feed.isWaiting && this.#left > approvalPause;
    const milliseconds = looksOnly ? approvalPause : this.#left;
    this.#timer = this.#options.timers.setTimeout(() => {
      this.#timer = undefined;
      this.#left -= milliseconds;
      this.#running = this.#run({ fetches: !looksOnly });
      return this.#running;
    }, milliseconds);
  }

  async #run({ fetches }: { fetches: boolean }): Promise<void> {
    const { feed } = this;
    const { onDone } = this.#options;
    await feed.takeApproved();
    if (feed.hasEnded) return;
    onDone('approval');
    if (!fetches) return this.#wait();
    const succeeded = await feed.update();
    if (feed.hasEnded) return;
    onDone('fetch');
    this.begin(succeeded ? 0 : this.#failures + 1);
  }
}
