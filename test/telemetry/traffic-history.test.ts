import os from 'node:os';
import { describe, expect, it, vi } from 'vitest';
import { secondsBounds } from '../../src/telemetry/bucket-counts.ts';
import { Meter, type MeterDelta } from '../../src/telemetry/meter.ts';
import { quantile } from '../../src/telemetry/quantile.ts';
import { maxRefusals, type Refusal, Refusals } from '../../src/telemetry/refused-handshakes.ts';
import { noRoute } from '../../src/telemetry/route-meter.ts';
import { maxSteps, StepCounts, stepMs } from '../../src/telemetry/step-counts.ts';
import { TrafficHistory } from '../../src/telemetry/traffic-history.ts';

function taken(meter: Meter): MeterDelta {
  const delta = meter.take();
  if (delta === null) throw new Error('nothing changed');
  return structuredClone(delta);
}

describe('the counts of steps', () => {
  it('are kept for an hour of complete steps, whatever arrives', () => {
    const counts = new StepCounts(0);
    for (let step = 0; step < 3 * maxSteps; step++) counts.add('a', step + 1, step * stepMs);
    const now = (3 * maxSteps - 1) * stepMs;
    expect(counts.complete('a')).toEqual(
      Array.from({ length: maxSteps }, (_, index) => 2 * maxSteps - 1 + index + 1),
    );
    expect(counts.ends()).toHaveLength(maxSteps);
    expect(counts.ends().at(-1)).toBe(now);
  });

  it('begin with the step of the start: before it there is none', () => {
    const counts = new StepCounts(5 * stepMs + 1);
    expect([counts.ends(), counts.complete('a')]).toEqual([[], []]);
    counts.add('a', 2, 5 * stepMs + 2);
    counts.advance(8 * stepMs);
    expect(counts.ends()).toEqual([6, 7, 8].map((step) => step * stepMs));
    expect(counts.complete('a')).toEqual([2, 0, 0]);
    expect(counts.complete('b')).toEqual([0, 0, 0]);
  });

  it('sum the present step and those before it', () => {
    const counts = new StepCounts(0);
    for (let step = 0; step < 10; step++) counts.add('a', 10 ** step, step * stepMs);
    expect([counts.sum('a', 2), counts.since(2)]).toEqual([10 ** 7 + 10 ** 8 + 10 ** 9, 7 * stepMs]);
    expect(counts.sum('b', 2)).toBe(0);
  });

  it('forget a key that had no count for an hour', () => {
    const counts = new StepCounts(0);
    counts.add('a', 1, 0);
    counts.add('b', 1, 100 * stepMs);
    counts.advance(maxSteps * stepMs);
    expect(counts.keys()).toEqual(['a', 'b']);
    counts.advance((maxSteps + 1) * stepMs);
    expect(counts.keys()).toEqual(['b']);
    counts.advance(1e9 * stepMs);
    expect(counts.keys()).toEqual([]);
    expect(counts.ends()).toHaveLength(maxSteps);
  });
});

describe('a quantile', () => {
  const bounds = [1, 2, 4];
  it('is interpolated within its bucket, and is at most the last bound', () => {
    expect(quantile([0, 0, 0, 0], { bounds, share: 0.5 })).toBeNull();
    expect(quantile([10, 0, 0, 0], { bounds, share: 0.5 })).toBe(0.5);
    expect(quantile([5, 5, 0, 0], { bounds, share: 0.5 })).toBe(1);
    expect(quantile([0, 0, 4, 0], { bounds, share: 0.5 })).toBe(3);
    expect(quantile([0, 0, 0, 7], { bounds, share: 0.5 })).toBe(4);
    expect(quantile([98, 0, 2, 0], { bounds, share: 0.99 })).toBe(3);
  });
});

describe('the history of the traffic', () => {
  let now = 0;
  let elapsed = 0;
  function started(): TrafficHistory {
    now = 1_000_000 * stepMs;
    elapsed = 77;
    return new TrafficHistory({ now: () => now, elapsed: () => elapsed });
  }
  const pass = (ms: number) => {
    now += ms;
    elapsed += ms;
  };

  it('has handshakes by verdict, messages, late ones and percentiles in each step', () => {
    const history = started();
    const meter = new Meter();
    meter.handshake('allow', 'none', 3);
    meter.handshake('deny', 'untrusted', 3);
    meter.handshake('deny', 'expired', 3);
    meter.handshake('failed', 'not_tls', 3);
    for (let count = 0; count < 100; count++) meter.route('/').message(200, count < 98 ? 7 : 150, 5);
    meter.route('/').budget(250, 200, true);
    meter.route(noRoute).message(404, 0.01, Number.NaN);
    history.merge(taken(meter));
    pass(stepMs);
    meter.handshake('deny', 'untrusted', 3);
    history.merge(taken(meter));
    expect(history.steps().ends).toEqual([now]);
    pass(stepMs);
    expect(history.steps()).toEqual({
      stepSeconds: 10,
      ends: [now - stepMs, now],
      allowed: [1, 0],
      denied: [2, 1],
      failed: [1, 0],
      messages: [101, 0],
      late: [1, 0],
      p50Ms: [expect.closeTo(7.551, 3), null],
      p99Ms: [150, null],
    });
    expect(history.minute()).toEqual({
      seconds: 20,
      messages: 101,
      late: 1,
      shed: 0,
      p50Ms: expect.closeTo(7.551, 3),
      p99Ms: 150,
    });
    expect(history.verdicts()).toEqual([
      { verdict: 'deny', reason: 'untrusted', count: 2 },
      { verdict: 'allow', reason: 'none', count: 1 },
      { verdict: 'deny', reason: 'expired', count: 1 },
      { verdict: 'failed', reason: 'not_tls', count: 1 },
    ]);
  });

  it('forgets what is older than an hour, and never exceeds 360 steps', () => {
    const history = started();
    const meter = new Meter();
    for (let step = 0; step < 500; step++) {
      meter.handshake('deny', 'untrusted', 3);
      history.merge(taken(meter));
      pass(stepMs);
    }
    expect(history.steps().denied).toEqual(Array(360).fill(1));
    expect(history.verdicts()).toEqual([{ verdict: 'deny', reason: 'untrusted', count: 360 }]);
    pass(3_700_000);
    expect(history.verdicts()).toEqual([]);
    expect(history.minute()).toMatchObject({ seconds: 50, messages: 0, p99Ms: null });
  });

  it('keeps its steps when the clock is set, and gives their times by the new clock', () => {
    const history = started();
    const meter = new Meter();
    meter.handshake('allow', 'none', 3);
    history.merge(taken(meter));
    pass(stepMs);
    const ends = history.steps().ends;
    for (const jump of [-3_600_000, 7_200_000]) {
      now += jump;
      expect(history.steps()).toMatchObject({ ends: [now], allowed: [1] });
    }
    now -= 3_600_000;
    expect(history.steps().ends).toEqual(ends);
  });

  it('leaves a time in which the machine slept empty, and the steps before it where they were', () => {
    vi.useFakeTimers({ toFake: ['Date', 'performance'], now: 1_000_000 * stepMs });
    const uptime = vi.spyOn(os, 'uptime').mockReturnValue(1_000);
    const history = new TrafficHistory();
    const meter = new Meter();
    meter.handshake('allow', 'none', 3);
    history.merge(taken(meter));
    // performance.now does not go on.
    const sleep = (ms: number) => {
      vi.setSystemTime(Date.now() + ms);
      uptime.mockReturnValue(os.uptime() + ms / 1000);
    };
    sleep(1_200_000);
    const { ends, allowed } = history.steps();
    expect([ends[0], allowed[0]]).toEqual([1_000_001 * stepMs, 1]);
    expect([ends.length, ends.at(-1)]).toEqual([120, Date.now()]);
    sleep(8 * 3_600_000);
    expect(history.steps().allowed).toEqual(Array(maxSteps).fill(0));
    vi.restoreAllMocks();
    vi.useRealTimers();
  });

  it('compares the messages of each route with the budget of that route', () => {
    const history = started();
    const meter = new Meter();
    const send = (route: string, times: readonly number[], budget: number) => {
      for (const ms of times) {
        meter.route(route).message(200, ms, ms);
        meter.route(route).budget(ms, budget, true);
      }
    };
    // Slower than the budget of the other route, and within its own.
    send('/batch', Array(100).fill(1_500), 2_000);
    send('/fast', [...Array(98).fill(10), 201, 300], 200);
    // One in a hundred is not over the 99th percentile.
    send('/edge', [...Array(99).fill(10), 5_000], 200);
    send('/slow', [10, 900], 200);
    history.merge(taken(meter));
    expect(history.overBudget()).toEqual([
      { route: '/slow', messages: 2, over: 1 },
      { route: '/fast', messages: 100, over: 2 },
    ]);
    pass(60_000);
    expect(history.overBudget()).toEqual([]);
  });

  it('counts the failures of an endpoint, and knows when it cannot be reached', () => {
    const history = started();
    const meter = new Meter();
    const endpoint = meter.endpoint('http://host');
    endpoint.pools = 1;
    endpoint.connected();
    history.merge(taken(meter));
    expect([history.failures('http://host'), history.isUnreachable('http://host')]).toEqual([0, false]);
    const refused = { at: 1, cause: 'ECONNREFUSED' } as const;
    endpoint.failed({ ...refused, reason: 'connect_failed' });
    endpoint.messageFailed({ ...refused, reason: 'closed_early' });
    history.merge(taken(meter));
    expect([history.failures('http://host'), history.isUnreachable('http://host')]).toEqual([2, true]);
    // With TLS 1.3 the host refuses after the handshake: it counts as connected first.
    endpoint.connected();
    endpoint.failed({ ...refused, reason: 'upstream_tls' });
    history.merge(taken(meter));
    expect(history.isUnreachable('http://host')).toBe(true);
    endpoint.connected();
    history.merge(taken(meter));
    expect([history.failures('http://host'), history.isUnreachable('http://host')]).toEqual([3, false]);
  });

  it('has as many buckets as the meter', () => {
    const meter = new Meter();
    meter.route('/').message(200, 1, 1);
    expect(taken(meter).routes[0]?.total.counts).toHaveLength(secondsBounds.length + 1);
  });
});

describe('the last refusals', () => {
  const refusal = (change: Partial<Refusal> = {}): Refusal => ({
    time: 1,
    connId: 'a-1',
    sourceAddress: '192.0.2.1',
    verdict: 'deny',
    reason: 'untrusted',
    detail: null,
    leaf: null,
    ...change,
  });

  it('count equal ones, with the facts of the last, in whichever order the threads report', () => {
    const refusals = new Refusals();
    refusals.add(refusal({ time: 5, connId: 'b-1' }), 2);
    refusals.add(refusal({ time: 4, connId: 'a-1' }));
    expect(refusals.all()).toEqual([{ ...refusal({ time: 5, connId: 'b-1' }), count: 3 }]);
    for (const change of [{ sourceAddress: null }, { reason: 'expired' }, { detail: 'x' }, { leaf: '{}' }])
      refusals.add(refusal(change));
    expect(refusals.all()).toHaveLength(5);
  });

  it('are bounded: the oldest goes first', () => {
    const refusals = new Refusals();
    for (let time = 0; time < 1000; time++) refusals.add(refusal({ time, sourceAddress: `${time}` }));
    expect(refusals.all().map(({ time }) => time)).toEqual(
      Array.from({ length: maxRefusals }, (_, index) => 999 - index),
    );
    refusals.add(refusal({ time: 10, sourceAddress: 'late report' }));
    expect(refusals.all()).toHaveLength(maxRefusals);
    expect(refusals.all().every(({ time }) => time >= 950)).toBe(true);
  });

  it('are those since the clock was set back, before those of the time ahead', () => {
    const refusals = new Refusals();
    const hour = 3_600_000;
    for (let index = 0; index < maxRefusals; index++)
      refusals.add(refusal({ time: 2 * hour + index, sourceAddress: `${index}` }));
    refusals.add(refusal({ time: hour, sourceAddress: 'new' }));
    refusals.add(refusal({ time: hour + 1, sourceAddress: '7', connId: 'again' }));
    const kept = refusals.all();
    expect(kept).toHaveLength(maxRefusals);
    expect(kept.slice(0, 2).map(({ sourceAddress }) => sourceAddress)).toEqual(['7', 'new']);
    expect(kept[1]?.time).toBe(hour);
    expect(kept.find(({ sourceAddress }) => sourceAddress === '7')).toMatchObject({
      connId: 'again',
      count: 2,
    });
  });

  it('count as one that differ in a number of the detail, such as the bytes received', () => {
    const refusals = new Refusals();
    for (let bytes = 0; bytes < 60; bytes++)
      refusals.add(refusal({ time: bytes, detail: `closed after ${bytes} bytes` }));
    expect(refusals.all()).toMatchObject([{ count: 60, detail: 'closed after 59 bytes' }]);
  });

  it('are bounded in each report of a relay thread', () => {
    const meter = new Meter();
    for (let time = 0; time < 1000; time++) meter.refused(refusal({ time, sourceAddress: `${time}` }));
    expect(taken(meter).refusals).toHaveLength(maxRefusals);
    expect(meter.take()).toBeNull();
  });
});
