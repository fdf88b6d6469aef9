import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ConnectionDeadlines } from '../../src/relay/connection-deadlines.ts';

const never = Number.POSITIVE_INFINITY;

let calls: string[];
let phase: ConnectionDeadlines;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'performance'] });
  calls = [];
  phase = new ConnectionDeadlines({
    onTimeout: () => calls.push(`timeout of ${phase.current}`),
    onDeadline: () => calls.push('deadline'),
  });
});

afterEach(() => {
  phase.close();
  vi.useRealTimers();
});

function after(milliseconds: number): string[] {
  vi.advanceTimersByTime(milliseconds);
  return calls;
}

it('reports the timeout of the phase that was entered last', () => {
  phase.enter('idle', 100, performance.now());
  after(50);
  phase.enter('head', 100, performance.now());
  expect(after(99)).toEqual([]);
  expect(after(10)).toEqual(['timeout of head']);
});

it('reports the deadline if that comes first, or if the phase has no timeout', () => {
  phase.setDeadline(performance.now() + 100);
  phase.enter('body', 200, performance.now());
  expect(after(110)).toEqual(['deadline']);
  phase.setDeadline(performance.now() + 100);
  phase.enter('response', never, performance.now());
  expect(phase.hasTimeout).toBe(false);
  expect(after(110)).toEqual(['deadline', 'deadline']);
});

it('reports only the deadline while the timeout is suspended', () => {
  phase.setDeadline(performance.now() + 300);
  phase.enter('body', 100, performance.now());
  phase.suspendTimeout();
  expect(after(290)).toEqual([]);
  expect(after(20)).toEqual(['deadline']);
});

it('reports nothing after the deadline was cleared and the connection closed', () => {
  phase.setDeadline(performance.now() + 100);
  phase.enter('response', never, performance.now());
  phase.clearDeadline();
  expect(after(200)).toEqual([]);
  phase.enter('idle', 100, performance.now());
  phase.close();
  expect(after(200)).toEqual([]);
  expect(phase.current).toBe('closing');
});
