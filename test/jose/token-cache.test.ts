import { expect, it } from 'vitest';
import { TokenCache } from '../../src/jose/token-cache.ts';

it('knows a finding from when it was made until its end', () => {
  const cache = new TokenCache<string>(10);
  cache.set('a', { finding: 'x', since: 100, until: 200 });
  expect(cache.get('a', 100)).toBe('x');
  expect(cache.get('a', 199)).toBe('x');
  expect(cache.get('a', 200)).toBe(undefined);
  expect(cache.size).toBe(0);
});

it('forgets a finding when the clock was set back', () => {
  const cache = new TokenCache<string>(10);
  cache.set('a', { finding: 'x', since: 100, until: 200 });
  expect(cache.get('a', 99)).toBe(undefined);
  expect(cache.get('a', 150)).toBe(undefined);
});

it('does not keep what has already ended', () => {
  const cache = new TokenCache<string>(10);
  cache.set('a', { finding: 'x', since: 100, until: 100 });
  expect(cache.size).toBe(0);
});

it('keeps the most recently used findings within its limit', () => {
  const cache = new TokenCache<number>(4);
  for (const each of [1, 2, 3, 4]) cache.set(String(each), { finding: each, since: 0, until: 10 });
  expect(cache.get('1', 1)).toBe(1);
  cache.set('5', { finding: 5, since: 0, until: 10 });
  expect(cache.size).toBe(4);
  expect(['1', '2', '3', '4', '5'].map((each) => cache.get(each, 1))).toEqual([1, undefined, 3, 4, 5]);
});

it('replaces a finding without dropping another one', () => {
  const cache = new TokenCache<number>(2);
  cache.set('a', { finding: 1, since: 0, until: 10 });
  cache.set('b', { finding: 2, since: 0, until: 10 });
  cache.set('a', { finding: 3, since: 0, until: 10 });
  expect([cache.get('a', 1), cache.get('b', 1)]).toEqual([3, 2]);
});
