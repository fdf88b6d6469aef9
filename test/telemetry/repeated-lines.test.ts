import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { LogLevel } from '../../src/telemetry/recorder.ts';
import { maxEntries, RepeatedLines } from '../../src/telemetry/repeated-lines.ts';

let written: [message: string, repeated: unknown, seconds: number | null][];
let lines: RepeatedLines;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  written = [];
  lines = new RepeatedLines({
    windowMs: 60_000,
    write: ({ message, fields }, seconds) => written.push([message, fields.repeated, seconds]),
  });
});

afterEach(() => {
  vi.useRealTimers();
});

const log = (message: string, fields: Record<string, unknown> = {}, level: LogLevel = 'warn') =>
  lines.log({ level, message, fields });

it('writes the first line at once and the others as one sum with their number after a window', () => {
  for (let count = 0; count < 200; count++) log('fails');
  expect(written).toEqual([['fails', undefined, null]]);
  vi.advanceTimersByTime(60_000);
  expect(written.slice(1)).toEqual([['fails', 199, 60]]);
  expect(lines.collapsed).toBe(199);
});

it('writes one sum in each window of a lasting failure, and then the next line at once again', () => {
  for (let second = 0; second < 130; second++) {
    log('fails');
    vi.advanceTimersByTime(1000);
  }
  vi.advanceTimersByTime(120_000);
  log('fails');
  expect(written).toEqual([
    ['fails', undefined, null],
    ['fails', 59, 60],
    ['fails', 60, 60],
    ['fails', 10, 60],
    ['fails', undefined, null],
  ]);
});

it('writes nothing more of a line that is not repeated', () => {
  log('once');
  vi.advanceTimersByTime(600_000);
  lines.flush();
  expect(written).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});

it.each([
  ['level', () => log('fails', {}, 'error')],
  ['message', () => log('fails too')],
  ['field', () => log('fails', { endpoint: 'http://b' })],
])('keeps lines apart that differ in their %s', (_what, other) => {
  log('fails');
  other();
  expect(written).toHaveLength(2);
});

it.each([{ conn_id: 'b' }, { source_address: '192.0.2.2' }, { thread: 2 }, { unset: undefined }])(
  'collapses lines that differ only in %j',
  (fields) => {
    log('fails', { conn_id: 'a', source_address: '192.0.2.1', thread: 1, ...fields });
    log('fails', { conn_id: 'a', source_address: '192.0.2.1', thread: 1 });
    expect(written).toHaveLength(1);
  },
);

it('adds up lines that are sums themselves', () => {
  log('fails');
  log('fails', { repeated: 99 });
  log('fails');
  lines.flush();
  expect(written.at(-1)).toEqual(['fails', 100, 1]);
});

it('loses no repetition at the end, or of more lines than it remembers', () => {
  for (let round = 0; round < 3; round++)
    for (let line = 0; line < 3 * maxEntries; line++) {
      log(`line ${line}`);
      log(`line ${line}`);
    }
  lines.flush();
  const total = written.reduce((sum, [, repeated]) => sum + (typeof repeated === 'number' ? repeated : 1), 0);
  expect(total).toBe(3 * 3 * maxEntries * 2);
  expect(vi.getTimerCount()).toBe(0);
});
