/** When an anchor's sources are fetched again, and when an approval is looked for: one task at a time. */
import { pause } from '../fetch/backoff.ts';
import { PeriodicTask } from '../fetch/periodic-task.ts';
import type { Timers } from '../fetch/timers.ts';
import type { AnchorFeed } from './anchor-feed.ts';
import type { AnchorState } from './state.ts';

export interface ScheduleOptions {
  readonly feed: AnchorFeed;
  readonly timers: Timers;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Milliseconds between two successful fetches. */
  readonly refresh: () => number;
  /** Called after each look for an approval, and after each fetch. */
  readonly onDone: (what: 'approval' | 'fetch') => void;
}

/** Milliseconds between two looks for an approval, while a root is pending. */
const approvalPause = 1000;

export class FetchSchedule {
  readonly feed: AnchorFeed;
  readonly #options: ScheduleOptions;
  readonly #task: PeriodicTask;
  #failures = 0;
  /** Milliseconds until the next fetch, from when the current timer was set. */
  #untilFetch = 0;
  /** Milliseconds of the current timer. */
  #untilRun = 0;

  constructor(options: ScheduleOptions) {
    const { feed, timers } = options;
    this.#options = options;
    this.feed = feed;
    this.#task = new PeriodicTask({
      run: () => this.#run(),
      delay: () => this.#nextPause(),
      timers,
      signal: feed.signal,
    });
  }

  get state(): AnchorState | null {
    return this.feed.state;
  }

  /** Schedules the first fetch. `failures`: the number of failed fetches in a row so far. */
  begin(failures: number): void {
    this.#plan(failures);
    this.#task.schedule();
  }

  /** Fetches at once, or joins the run in progress. Resolves after it; a failure counts as the first one in a row. */
  now(): Promise<void> {
    if (!this.#task.isRunning) {
      this.#failures = 0;
      this.#untilFetch = 0;
      this.#untilRun = 0;
    }
    return this.#task.runNow();
  }

  /** Applies a changed `refresh`: a shorter pause starts now, a longer one after the next fetch. */
  shorten(): void {
    const milliseconds = this.#fetchPause();
    if (this.#task.isRunning || milliseconds >= this.#untilFetch) return;
    this.#untilFetch = milliseconds;
    this.#task.schedule();
  }

  /** Ends the feed. Resolves when nothing runs any more. */
  end(): Promise<void> {
    this.feed.end();
    return this.#task.end();
  }

  #plan(failures: number): void {
    this.#failures = failures;
    this.#untilFetch = this.#fetchPause();
  }

  #fetchPause(): number {
    const { refresh, random } = this.#options;
    return pause({ failures: this.#failures, refresh: refresh(), random: random() });
  }

  #nextPause(): number {
    const looksOnly = this.feed.awaitsApproval && this.#untilFetch > approvalPause;
    this.#untilRun = looksOnly ? approvalPause : this.#untilFetch;
    return this.#untilRun;
  }

  async #run(): Promise<void> {
    const { feed } = this;
    const { onDone } = this.#options;
    this.#untilFetch -= this.#untilRun;
    const fetches = this.#untilFetch <= 0;
    await feed.takeApproved();
    if (feed.hasEnded) return;
    onDone('approval');
    if (!fetches) return;
    const succeeded = await feed.update();
    if (feed.hasEnded) return;
    onDone('fetch');
    this.#plan(succeeded ? 0 : this.#failures + 1);
  }
}
