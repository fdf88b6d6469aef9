/** Messages at a fixed rate: a slow answer must not hide the delay of those that wait behind it. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { pace } from '../../bench/pace.ts';

test('messages that wait for a busy place count from when they were due', async () => {
  let answered = 0;
  const place = {
    send: async () => {
      await turn();
      answered += 1;
    },
    rest: async () => {},
  };
  // Due at one moment: the time of each holds the times of all before it.
  const times = await pace([place], { rate: 1e9, milliseconds: 5e-6 });
  expect(answered).toBe(5);
  expect(times).toHaveLength(5);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(times[4]).toBeGreaterThan(times[0] as number);
});

test('a place sends its next message only when it has come to rest', async () => {
  const told: string[] = [];
  const place = {
    send: async () => void told.push('send'),
    rest: async () => {
      await turn();
      told.push('rest');
    },
  };
  await pace([place], { rate: 1e9, milliseconds: 3e-6 });
  expect(told).toEqual(['send', 'rest', 'send', 'rest', 'send', 'rest']);
});
