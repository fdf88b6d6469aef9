import { afterEach, expect, it, vi } from 'vitest';
import { Addresses } from '../../src/upstream/addresses.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A resolver whose answer can be changed, and the names that it was queried for. */
function resolver(...first: string[]) {
  const queried: string[] = [];
  const it = {
    queried,
    answer: first as string[] | Error,
    removed: 0,
    resolve: async (host: string) => {
      queried.push(host);
      if (it.answer instanceof Error) throw it.answer;
      return it.answer;
    },
    onRemoved: () => {
      it.removed++;
    },
  };
  return it;
}

it.each(['127.0.0.1', '::1'])('does not resolve an IP address: %s', async (host) => {
  const { queried, ...options } = resolver('192.0.2.1');
  const addresses = new Addresses({ host, ...options });
  addresses.refreshIfStale(performance.now());
  expect(addresses.known).toEqual([host]);
  expect(queried).toEqual([]);
});

it('has no address until the resolver has answered, and shares one query between callers', async () => {
  const { queried, ...options } = resolver('192.0.2.1', '192.0.2.2', '192.0.2.1');
  const addresses = new Addresses({ host: 'a', ...options });
  expect(addresses.known).toEqual([]);
  await Promise.all([addresses.resolve(), addresses.resolve()]);
  expect(addresses.known).toEqual(['192.0.2.1', '192.0.2.2']);
  expect(queried).toEqual(['a']);
});

it('resolves again in the background after five seconds, and uses the old answer until the new one arrives', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const source = resolver('192.0.2.1');
  const addresses = new Addresses({ host: 'a', ...source });
  await addresses.resolve();
  source.answer = ['192.0.2.2'];
  vi.advanceTimersByTime(4999);
  addresses.refreshIfStale(performance.now());
  expect(source.queried).toHaveLength(1);
  vi.advanceTimersByTime(2);
  addresses.refreshIfStale(performance.now());
  addresses.refreshIfStale(performance.now());
  expect(source.queried).toHaveLength(2);
  expect(addresses.known).toEqual(['192.0.2.1']);
  expect(source.removed).toBe(0);
  await addresses.resolve();
  expect(addresses.known).toEqual(['192.0.2.2']);
  expect(addresses.has('192.0.2.1')).toBe(false);
  expect(source.removed).toBe(1);
});

it('resolves again at once after no address could be connected to, and shares that query', async () => {
  const source = resolver('192.0.2.1');
  const addresses = new Addresses({ host: 'a', ...source });
  addresses.refreshAfterFailure();
  expect(source.queried).toEqual([]);
  await addresses.resolve();
  source.answer = ['192.0.2.2'];
  addresses.refreshAfterFailure();
  addresses.refreshAfterFailure();
  expect(source.queried).toHaveLength(2);
  await vi.waitUntil(() => addresses.has('192.0.2.2'));
  expect(addresses.known).toEqual(['192.0.2.2']);
});

it('resolves at most ten times a second while no address can be connected to', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const source = resolver('192.0.2.1');
  const addresses = new Addresses({ host: 'a', ...source });
  await addresses.resolve();
  const queriedAfter = async (ms: number) => {
    vi.advanceTimersByTime(ms);
    addresses.refreshAfterFailure();
    await new Promise(setImmediate);
    return source.queried.length;
  };
  expect([
    await queriedAfter(1),
    await queriedAfter(98),
    await queriedAfter(2),
    await queriedAfter(2),
  ]).toEqual([2, 2, 3, 3]);
});

it('keeps the known addresses while the resolver fails, and reports the failure of a background query', async () => {
  const source = resolver('192.0.2.1');
  const failures: string[] = [];
  const addresses = new Addresses({
    host: 'a',
    ...source,
    onFailed: ({ message }) => failures.push(message),
  });
  await addresses.resolve();
  source.answer = new Error('ENOTFOUND');
  await expect(addresses.resolve()).rejects.toThrow('ENOTFOUND');
  expect(failures).toEqual([]);
  addresses.refreshAfterFailure();
  await vi.waitUntil(() => failures.length > 0);
  expect(failures).toEqual(['ENOTFOUND']);
  expect(source.queried).toHaveLength(3);
  expect(addresses.known).toEqual(['192.0.2.1']);
  expect(source.removed).toBe(0);
});

it('keeps the preferred address first, also after the name was resolved again', async () => {
  const source = resolver('192.0.2.1', '192.0.2.2', '192.0.2.3');
  const addresses = new Addresses({ host: 'a', ...source });
  await addresses.resolve();
  addresses.prefer('192.0.2.2');
  expect(addresses.known).toEqual(['192.0.2.2', '192.0.2.1', '192.0.2.3']);
  addresses.prefer('192.0.2.9');
  source.answer = ['192.0.2.3', '192.0.2.2'];
  await addresses.resolve();
  expect(addresses.known).toEqual(['192.0.2.2', '192.0.2.3']);
});
