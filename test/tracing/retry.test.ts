/** When a batch is sent again. */
import { describe, expect, it } from 'vitest';
import { type FailedExport, retry } from '../../src/tracing/retry.ts';

const now = Date.UTC(2026, 0, 1);
const silent: FailedExport = { kind: 'no_response', cause: 'ECONNREFUSED' };
const busy = (retryAfter: string | null): FailedExport => ({ kind: 'retryable', status: 503, retryAfter });
const trial = { result: silent, failures: 1, firstSentAt: now, now, random: 0 };

describe('a batch is sent again', () => {
  it.each([
    [1, 1000],
    [2, 2000],
    [5, 16_000],
    [6, 30_000],
    [60, 30_000],
  ])('after a pause that doubles: failure %d, %d ms', (failures, wait) => {
    expect(retry({ ...trial, failures })).toEqual({ wait, giveUp: false });
    expect(retry({ ...trial, failures, random: 1 }).wait).toBe(wait / 2);
    expect(retry({ ...trial, failures, result: busy(null) }).wait).toBe(wait);
  });

  it.each([
    ['7', 7000],
    ['Thu, 01 Jan 2026 00:00:20 GMT', 20_000],
    // Neither is a wait: the pause is the gateway's own.
    ['0', 1000],
    ['Wed, 31 Dec 2025 23:59:59 GMT', 1000],
    ['-5', 1000],
    ['soon', 1000],
  ])('when the collector asks for it: %s', (retryAfter, wait) => {
    expect(retry({ ...trial, result: busy(retryAfter) })).toEqual({ wait, giveUp: false });
  });
});

describe('a batch is given up', () => {
  it('when it would be older than a minute by then', () => {
    const at = (age: number) => retry({ ...trial, now: now + age }).giveUp;
    expect(at(59_000)).toBe(false);
    expect(at(59_001)).toBe(true);
  });

  it.each(['3600', '999999999', 'Fri, 01 Jan 2027 00:00:00 GMT'])(
    'at once when the collector asks for more, and then it is left alone for five minutes: %s',
    (retryAfter) => {
      expect(retry({ ...trial, result: busy(retryAfter) })).toEqual({ wait: 300_000, giveUp: true });
    },
  );
});
