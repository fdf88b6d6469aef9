/** Timers that ring when a test says so. */
import type { Timers } from '../../src/fetch/timers.ts';

export interface TestTimers extends Timers {
  /** Delays of the pending timers in milliseconds, in the order of setting. */
  readonly pending: readonly number[];
  /** Fires the first timer with this delay in milliseconds. */
  ring(milliseconds: number): void;
}

export function testTimers(): TestTimers {
  const set: { readonly run: () => void; readonly milliseconds: number }[] = [];
  const remove = (timer: unknown) => {
    const index = set.indexOf(timer as (typeof set)[number]);
    return index < 0 ? undefined : set.splice(index, 1)[0];
  };
  return {
    get pending() {
      return set.map(({ milliseconds }) => milliseconds);
    },
    setTimeout: (run, milliseconds) => {
      const timer = { run, milliseconds };
      set.push(timer);
      return timer;
    },
    clearTimeout: (timer) => void remove(timer),
    ring: (milliseconds) => {
      const timer = remove(set.find((each) => each.milliseconds === milliseconds));
      if (timer === undefined) throw new Error(`no timer of ${milliseconds} ms is set`);
      timer.run();
    },
  };
}
