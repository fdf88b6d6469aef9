import { expect, it } from 'vitest';
import { SharedText } from '../../src/admin/rate-limited-text.ts';

it('is built once for concurrent reads, and again for a later read', async () => {
  let made = 0;
  const text = new SharedText({ make: async () => ({ body: `${++made}`, contentType: 'a' }), everyMs: 20 });
  const first = await Promise.all(Array.from({ length: 100 }, () => text.read()));
  expect(new Set(first)).toHaveLength(1);
  expect(first[0]?.body.toString()).toBe('1');
  const second = await Promise.all(Array.from({ length: 100 }, () => text.read()));
  expect(second.map(({ body }) => body.toString())).toEqual(Array(100).fill('2'));
});

it('is built at most once per interval, and is never older than the read', async () => {
  let state = 0;
  const times: number[] = [];
  const everyMs = 30;
  const text = new SharedText({
    make: async () => {
      times.push(performance.now());
      return { body: `${state}`, contentType: 'a' };
    },
    everyMs,
  });
  for (state = 1; state <= 5; state++) expect((await text.read()).body.toString()).toBe(`${state}`);
  const pauses = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  for (const pause of pauses) expect(pause).toBeGreaterThanOrEqual(everyMs);
});

it('is built again after a failure', async () => {
  let made = 0;
  const text = new SharedText({
    make: async () => {
      if (++made === 1) throw new Error('the cause');
      return { body: 'well', contentType: 'a' };
    },
    everyMs: 1,
  });
  await expect(text.read()).rejects.toThrow('the cause');
  expect((await text.read()).body.toString()).toBe('well');
});
