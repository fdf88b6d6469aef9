import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LazyTimer } from '../../src/relay/lazy-timer.ts';

const never = Number.POSITIVE_INFINITY;

let rung: number[];
let alarm: LazyTimer;

/** Sets the alarm to ring in `delay` ms. */
function ringIn(delay: number): void {
  const now = performance.now();
  alarm.set(now + delay, now);
}

beforeEach(() => {
  // The one clock of the alarm, and the timers, stand still until the test moves them.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  rung = [];
  const start = performance.now();
  alarm = new LazyTimer((now) => rung.push(now - start));
});

afterEach(() => {
  alarm.clear();
  vi.useRealTimers();
});

describe('an alarm', () => {
  it('rings once, when it is due', () => {
    ringIn(100);
    vi.advanceTimersByTime(99);
    expect(rung).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(rung).toEqual([100]);
  });

  it('never rings before it is due, also between two milliseconds', () => {
    ringIn(10.4);
    vi.advanceTimersByTime(10);
    expect(rung).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(rung).toEqual([11]);
  });

  it('rings when the due time is over already', () => {
    ringIn(-5);
    vi.advanceTimersByTime(1);
    expect(rung).toHaveLength(1);
  });

  it('rings later when it is put off, and not at the old time', () => {
    ringIn(100);
    vi.advanceTimersByTime(50);
    ringIn(100);
    vi.advanceTimersByTime(99);
    expect(rung).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(rung).toEqual([150]);
  });

  it('costs one timer however often it is put off', () => {
    for (let turn = 0; turn < 1000; turn++) {
      ringIn(100);
      vi.advanceTimersByTime(1);
      expect(vi.getTimerCount()).toBe(1);
    }
    expect(rung).toEqual([]);
  });

  it('rings earlier when it is brought forward, and once', () => {
    ringIn(100);
    ringIn(30);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1000);
    expect(rung).toEqual([30]);
  });

  it('stays silent when it is set to never, and rings again when it is set anew', () => {
    ringIn(100);
    alarm.set(never, performance.now());
    vi.advanceTimersByTime(1000);
    expect(rung).toEqual([]);
    ringIn(10);
    vi.advanceTimersByTime(1000);
    expect(rung).toEqual([1010]);
  });

  it('keeps to the new time when it was silenced and set before its old timer fired', () => {
    ringIn(100);
    alarm.set(never, performance.now());
    ringIn(200);
    vi.advanceTimersByTime(1000);
    expect(rung).toEqual([200]);
  });

  it('is silent and holds no timer once it is cleared', () => {
    ringIn(100);
    alarm.clear();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(1000);
    expect(rung).toEqual([]);
  });

  it('may be set again while it rings', () => {
    let rings = 0;
    const again = new LazyTimer((now) => {
      if (++rings < 3) again.set(now + 10, now);
    });
    again.set(performance.now() + 10, performance.now());
    vi.advanceTimersByTime(29);
    expect(rings).toBe(2);
    vi.advanceTimersByTime(1000);
    expect(rings).toBe(3);
  });
});
