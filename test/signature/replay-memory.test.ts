import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { allocateReplayMemory, ReplayMemory, replayRate } from '../../src/signature/replay-memory.ts';

const digestOf = (content: string | number) => createHash('sha256').update(String(content)).digest();
const now = Date.UTC(2026, 0, 31, 12);
const minute = 60_000;
const unit = 4096;
const open = () => new ReplayMemory(allocateReplayMemory());

it('accepts a content once, and other contents', () => {
  const memory = open();
  const until = now + 5 * minute;
  expect(memory.claim(digestOf('a'), { until, now })).toBe('fresh');
  expect(memory.claim(digestOf('b'), { until, now })).toBe('fresh');
  expect(memory.claim(digestOf('a'), { until, now })).toBe('seen');
  expect(memory.claim(digestOf('b'), { until, now: until })).toBe('seen');
});

it('forgets a content after its time, not before', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 41 }),
      fc.integer({ min: 0, max: 120 * minute }),
      fc.integer({ min: 0, max: 120 * minute }),
      (start, lasts, later) => {
        const memory = open();
        const until = start + lasts;
        expect(memory.claim(digestOf('a'), { until, now: start })).toBe('fresh');
        const again = memory.claim(digestOf('a'), { until: until + minute, now: start + later });
        if (later <= lasts) expect(again).toBe('seen');
        if (later > lasts + unit) expect(again).toBe('fresh');
      },
    ),
    { numRuns: 40 },
  );
});

it('does not take an old entry for a present one, though its time is written in weeks', () => {
  const memory = open();
  const period = 2 ** 20 * unit;
  for (const later of [0, 24 * 60 * minute, period / 2, period - 24 * 60 * minute]) {
    const start = now + later;
    expect([later, memory.claim(digestOf('a'), { until: start + 5 * minute, now: start })]).toEqual([
      later,
      'fresh',
    ]);
  }
});

it('remembers in memory that others share', () => {
  const shared = allocateReplayMemory();
  const options = { until: now + minute, now };
  expect(new ReplayMemory(shared).claim(digestOf('a'), options)).toBe('fresh');
  expect(new ReplayMemory(shared).claim(digestOf('a'), options)).toBe('seen');
});

it('refuses what it cannot remember, and never forgets for it', () => {
  const memory = open();
  const options = { until: now + minute, now };
  /** Contents of one bucket: the first bytes of their digests are equal. */
  const inBucket = (content: number) => Buffer.concat([Buffer.alloc(8), digestOf(content).subarray(8)]);
  for (let content = 0; content < 32; content++)
    expect(memory.claim(inBucket(content), options)).toBe('fresh');
  expect(memory.claim(inBucket(32), options)).toBe('full');
  for (let content = 0; content < 32; content++)
    expect(memory.claim(inBucket(content), options)).toBe('seen');
  expect(memory.claim(inBucket(32), { until: now + 2 * minute, now: now + minute + unit })).toBe('fresh');
});

it('holds what 100 messages a second leave in ten minutes', () => {
  const memory = open();
  const claims = Array.from({ length: 60_000 }, (_, content) => {
    const at = now + content * 10;
    return memory.claim(digestOf(content), { until: at + 10 * minute, now: at });
  });
  expect(claims.every((claim) => claim === 'fresh')).toBe(true);
});

it('accepts no content twice of which two threads chose different places at the same moment', () => {
  const memory = open();
  const inBucket = (content: string) => Buffer.concat([Buffer.alloc(8), digestOf(content).subarray(8)]);
  memory.claim(inBucket('old'), { until: now, now });
  const results: string[] = [];
  const { compareExchange } = Atomics;
  // The other thread runs between the choice of the place and the attempt to take it. For its clock, the old entry counts.
  const spy = vi
    .spyOn(Atomics, 'compareExchange')
    .mockImplementationOnce((...args: Parameters<typeof compareExchange>) => {
      results.push(memory.claim(inBucket('a'), { until: now + minute, now }));
      return compareExchange(...args);
    });
  results.push(memory.claim(inBucket('a'), { until: now + minute, now: now + unit }));
  spy.mockRestore();
  expect(results).toEqual(['fresh', 'seen']);
});

/** Claims the same contents in the same order as the other threads, each with a clock of its own. */
const racer = `
import { createHash } from 'node:crypto';
import { parentPort, workerData } from 'node:worker_threads';
const { module, shared, gate, contents, now } = workerData;
const { ReplayMemory } = await import(module);
const memory = new ReplayMemory(shared);
const digests = Array.from({ length: contents }, (_, content) => createHash('sha256').update(String(content)).digest());
Atomics.add(gate, 0, 1);
Atomics.notify(gate, 0);
while (Atomics.load(gate, 1) === 0) {}
const fresh = [];
for (const [content, digest] of digests.entries()) {
  if (memory.claim(digest, { until: now + 60000, now }) === 'fresh') fresh.push(content);
}
parentPort.postMessage(fresh);
`;

it('accepts a content at most once, though threads claim it at the same moment', async () => {
  const contents = 5_000;
  const shared = allocateReplayMemory();
  // Places that are over for one clock and not for the other.
  const memory = new ReplayMemory(shared);
  for (let old = 0; old < 50_000; old++) memory.claim(digestOf(`old ${old}`), { until: now, now });
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const module = new URL('../../src/signature/replay-memory.ts', import.meta.url).href;
  const threads = [now, now + unit, now, now + unit].map((clock) => {
    const workerData = { module, shared, gate, contents, now: clock };
    return new Worker(new URL(`data:text/javascript,${encodeURIComponent(racer)}`), { workerData });
  });
  const results = threads.map(async (thread) => (await once(thread, 'message'))[0] as number[]);
  for (let ready = 0; ready < threads.length; ready = Atomics.load(gate, 0))
    await Atomics.waitAsync(gate, 0, ready).value;
  Atomics.store(gate, 1, 1);
  const fresh = (await Promise.all(results)).flat();
  expect(new Set(fresh).size).toBe(fresh.length);
  // Threads that race for one content with different clocks may both be refused: rarely, and never both accepted.
  expect(fresh.length).toBeGreaterThan(contents * 0.9);
});

it('carries what `replayRate` says: less than one claim in a million finds no place', () => {
  const buckets = 32_768;
  for (const tolerance of [60_000, 300_000, 3_600_000]) {
    const perBucket = (replayRate(tolerance) * (tolerance + unit)) / 1000 / buckets;
    // The loss formula of Erlang, for 32 places.
    let loss = 1;
    for (let place = 1; place <= 32; place++) loss = (perBucket * loss) / (place + perBucket * loss);
    expect(loss).toBeLessThan(1e-6);
    expect(loss).toBeGreaterThan(1e-7);
  }
});

it('docs/policies.md says what it carries', async () => {
  const page = await readFile(new URL('../../docs/policies.md', import.meta.url), 'utf8');
  const [, table = ''] = page.split('| `tolerance` | messages a second |\n| --- | --- |\n');
  const rows = [
    ...table
      .split('\n\n', 1)
      .join('')
      .matchAll(/^\| (\d+) min \| ([\d,]+) \|$/gm),
  ];
  expect(rows.map(([, minutes, rate]) => [Number(minutes), Number(rate?.replace(',', ''))])).toEqual(
    [1, 5, 10, 13, 30, 60].map((minutes) => [minutes, replayRate(minutes * minute)]),
  );
});
