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
  ['port', () => log('fails', { port: 8443 })],
  ['code', () => log('fails', { code: 48 })],
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

it('keeps lines apart that differ in a number, and adds up those that have the same', () => {
  for (const port of [8443, 9443, 8443]) log('fails', { port });
  lines.flush();
  expect(written).toEqual([
    ['fails', undefined, null],
    ['fails', undefined, null],
    ['fails', 1, 1],
  ]);
});

it('collapses by their message the lines that are too many to be remembered', () => {
  const sums: unknown[] = [];
  const many = new RepeatedLines({
    windowMs: 60_000,
    write: ({ message, fields: { repeated, mixed } }) => sums.push([message, repeated, mixed]),
  });
  const variants = 10 * maxEntries;
  for (let round = 0; round < 2; round++)
    for (let port = 0; port < variants; port++)
      for (const message of ['fails', 'fails too'])
        many.log({ level: 'warn', message, fields: { port, conn_id: `${round}` } });
  // Those that are remembered, and one more of each message.
  expect(sums).toHaveLength(maxEntries + 2);
  vi.advanceTimersByTime(60_000);
  const remembered = maxEntries / 2;
  expect(sums.slice(maxEntries + 2).filter((sum) => (sum as unknown[])[2] === true)).toEqual([
    ['fails', 2 * (variants - remembered) - 1, true],
    ['fails too', 2 * (variants - remembered) - 1, true],
  ]);
  expect(many.collapsed).toBe(4 * variants - maxEntries - 2);
  many.flush();
});

it('adds up mixed sums of a relay thread apart from the lines themselves', () => {
  log('fails', { port: 1 });
  log('fails', { port: 2, repeated: 40, mixed: true });
  log('fails', { port: 3, repeated: 2, mixed: true });
  log('fails', { port: 1 });
  lines.flush();
  expect(written.map(([, repeated]) => repeated)).toEqual([undefined, 40, 1, 2]);
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
