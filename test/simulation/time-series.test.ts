import { expect, it } from 'vitest';
import { TimeSeries } from '../../src/simulation/time-series.ts';

it('gathers what happened in each second, seconds without an event included', () => {
  const series = new TimeSeries(4000);
  series.begin(1000);
  series.sent(1000);
  series.sent(1999);
  series.ended(1999, { latency: 4, failed: false });
  series.ended(3000, { latency: null, failed: true });
  expect(series.spans).toEqual([
    { second: 0, sent: 2, answered: 1, failed: 0, p50: 4, p99: 4, max: 4 },
    { second: 1, sent: 0, answered: 0, failed: 0, p50: null, p99: null, max: null },
    { second: 2, sent: 0, answered: 0, failed: 1, p50: null, p99: null, max: null },
  ]);
});

it('takes longer steps in a long simulation, so that there are at most 600', () => {
  expect(new TimeSeries(60_000).step).toBe(1);
  const series = new TimeSeries(3_600_000);
  series.begin(0);
  series.sent(3_599_999);
  expect(series.spans).toHaveLength(600);
});
