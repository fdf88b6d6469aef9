import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LazyTimer } from '../../src/relay/lazy-timer.ts';

const never = Number.POSITIVE_INFINITY;

let fired: number[];
let timer: LazyTimer;

/** Sets the timer to fire in `delay` ms. */
function fireIn(delay: number): void {
  const now = performance.now();
  timer.set(now + delay, now);
}

beforeEach(() => {
  // The clock and Node's timers stand still until the test advances them.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  fired = [];
  const start = performance.now();
  timer = new LazyTimer((now) => fired.push(now - start));
});

afterEach(() => {
  timer.clear();
  vi.useRealTimers();
});

describe('a lazy timer', () => {
  it('fires once, when it is due', () => {
    fireIn(100);
    vi.advanceTimersByTime(99);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual([100]);
  });

  it('never fires before it is due, also between two milliseconds', () => {
    fireIn(10.4);
    vi.advanceTimersByTime(10);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual([11]);
  });

  it('fires if the due time has passed already', () => {
    fireIn(-5);
    vi.advanceTimersByTime(1);
    expect(fired).toHaveLength(1);
  });

  it('fires at the new time when it is postponed, and not at the old one', () => {
    fireIn(100);
    vi.advanceTimersByTime(50);
    fireIn(100);
    vi.advanceTimersByTime(99);
    expect(fired).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(fired).toEqual([150]);
  });

  it('needs one timer however often it is postponed', () => {
    for (let turn = 0; turn < 1000; turn++) {
      fireIn(100);
      vi.advanceTimersByTime(1);
      expect(vi.getTimerCount()).toBe(1);
    }
    expect(fired).toEqual([]);
  });

  it('fires once, and earlier, when its due time is moved forward', () => {
    fireIn(100);
    fireIn(30);
    expect(vi.getTimerCount()).toBe(1);
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual([30]);
  });

  it('does not fire when it is set to never, and fires when it is set again', () => {
    fireIn(100);
    timer.set(never, performance.now());
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual([]);
    fireIn(10);
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual([1010]);
  });

  it('fires at the new time when it is set to never and set again before the old time', () => {
    fireIn(100);
    timer.set(never, performance.now());
    fireIn(200);
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual([200]);
  });

  it('does not fire and has no timer after it is cleared', () => {
    fireIn(100);
    timer.clear();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(1000);
    expect(fired).toEqual([]);
  });

  it('can be set again while it fires', () => {
    let count = 0;
    const again = new LazyTimer((now) => {
      if (++count < 3) again.set(now + 10, now);
    });
    again.set(performance.now() + 10, performance.now());
    vi.advanceTimersByTime(29);
    expect(count).toBe(2);
    vi.advanceTimersByTime(1000);
    expect(count).toBe(3);
  });
});
