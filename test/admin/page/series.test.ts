import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { largest, latest, perMinute, rateOf, spanOf, total } from '../../../src/admin/page/charts/series.ts';
import { timeAxis } from '../../../src/admin/page/time-axis.ts';
import { busyDocument } from '../../page/documents.ts';

const day = 86_400_000;
const now = Date.UTC(2026, 10, 29, 5, 12);

describe('counts by the minute', () => {
  it('count a step that ends with a minute to that minute', () => {
    expect(perMinute({ ends: [50, 60, 70, 120, 130] }, [1, 2, 4, 8, 16])).toEqual({
      times: [30, 90, 150],
      values: [3, 12, 16],
    });
  });

  it('lose and add nothing', () => {
    const counts = fc.array(fc.nat(1000), { maxLength: 360 });
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 1e9 }), (counts, start) => {
        const ends = counts.map((_, index) => start + index * 10);
        const { times, values } = perMinute({ ends }, counts);
        expect(total(values as number[])).toBe(total(counts));
        expect(times).toEqual([...new Set(times)].sort((one, other) => one - other));
      }),
    );
  });

  it('are none for no history', () => {
    expect(perMinute({ ends: [] }, [])).toEqual({ times: [], values: [] });
  });
});

describe('the span of the charts', () => {
  const minute = 60;
  const steps = (count: number) =>
    Array.from({ length: count }, (_, index) => 600_000 * minute + (index + 1) * 10);

  it.each([
    ['no step', steps(0), [-10, 0]],
    ['the first step', steps(1), [-9, 1]],
    ['a quarter of an hour', steps(90), [0, 15]],
    ['an hour', steps(360), [0, 60]],
    ['an hour that begins within a minute', steps(363).slice(3), [1, 61]],
  ])('with %s is whole minutes, at least ten and at most sixty', (_, ends, expected) => {
    const [from, to] = spanOf({ ends, stepSeconds: 10 }, 600_000 * minute);
    expect([from, to].map((second) => second / minute - 600_000)).toEqual(expected);
  });
});

describe('a series', () => {
  it('divides messages by the seconds of a step', () => {
    const { history } = busyDocument(now);
    expect(rateOf({ ...history, ends: [10, 20], messages: [5, 0] }).values).toEqual([0.5, 0]);
  });

  it('has its largest and its latest value beside steps without one', () => {
    expect([largest([null, 3, 1, null]), latest([null, 3, 1, null])]).toEqual([3, 1]);
    expect([largest([null]), latest([])]).toEqual([null, null]);
  });
});

describe('the axis of time of the certificates', () => {
  it('begins now and ends after the last certificate', () => {
    const { ticks, at } = timeAxis([now + 61 * day, now + 500 * day], now);
    expect(ticks.map(({ label }) => label)).toEqual(['now', '7 d', '30 d', '90 d', '1 y', '3 y']);
    expect([ticks[0]?.at, ticks.at(-1)?.at]).toEqual([0, 1]);
    expect(at(now + 30 * day)).toBeCloseTo(ticks[2]?.at ?? 0);
  });

  it('has weeks and months where everything ends soon', () => {
    expect(timeAxis([now + day], now).ticks.map(({ label }) => label)).toEqual([
      'now',
      '7 d',
      '30 d',
      '90 d',
    ]);
    expect(timeAxis([], now).ticks).toHaveLength(4);
  });

  it('places any time between its ends, a later one further', () => {
    const ends = fc.array(fc.integer({ min: -1e14, max: 8e14 }), { maxLength: 9 });
    fc.assert(
      fc.property(ends, (ends) => {
        const { at, ticks } = timeAxis(ends, now);
        const places = ends.toSorted((one, other) => one - other).map(at);
        expect(places.every((place) => place >= 0 && place <= 1)).toBe(true);
        expect(places).toEqual(places.toSorted((one, other) => one - other));
        expect(ticks.every(({ at }) => at >= 0 && at <= 1)).toBe(true);
      }),
    );
  });

  it('has what is expired at its beginning', () => {
    expect(timeAxis([now - day], now).at(now - day)).toBe(0);
  });
});
