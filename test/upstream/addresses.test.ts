import { afterEach, expect, it, vi } from 'vitest';
import { Addresses } from '../../src/upstream/addresses.ts';

afterEach(() => {
  vi.useRealTimers();
});

/** A resolver whose answer can be changed, and what it was asked. */
function resolver(...first: string[]) {
  const asked: string[] = [];
  const it = {
    asked,
    answer: first as string[] | Error,
    gone: 0,
    resolve: async (host: string) => {
      asked.push(host);
      if (it.answer instanceof Error) throw it.answer;
      return it.answer;
    },
    onRemoved: () => {
      it.gone++;
    },
  };
  return it;
}

it.each(['127.0.0.1', '::1'])('asks nobody for an address: %s', async (host) => {
  const { asked, ...options } = resolver('192.0.2.1');
  const addresses = new Addresses({ host, ...options });
  addresses.refreshIfStale(performance.now());
  expect(addresses.known).toEqual([host]);
  expect(asked).toEqual([]);
});

it('knows nothing until the resolver has answered, and asks it once for many', async () => {
  const { asked, ...options } = resolver('192.0.2.1', '192.0.2.2', '192.0.2.1');
  const addresses = new Addresses({ host: 'a', ...options });
  expect(addresses.known).toEqual([]);
  await Promise.all([addresses.resolve(), addresses.resolve()]);
  expect(addresses.known).toEqual(['192.0.2.1', '192.0.2.2']);
  expect(asked).toEqual(['a']);
});

it('asks again in the background after five seconds of use, and keeps the answer until then', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const source = resolver('192.0.2.1');
  const addresses = new Addresses({ host: 'a', ...source });
  await addresses.resolve();
  source.answer = ['192.0.2.2'];
  vi.advanceTimersByTime(4999);
  addresses.refreshIfStale(performance.now());
  expect(source.asked).toHaveLength(1);
  vi.advanceTimersByTime(2);
  addresses.refreshIfStale(performance.now());
  addresses.refreshIfStale(performance.now());
  expect(source.asked).toHaveLength(2);
  expect(addresses.known).toEqual(['192.0.2.1']);
  expect(source.gone).toBe(0);
  await addresses.resolve();
  expect(addresses.known).toEqual(['192.0.2.2']);
  expect(addresses.has('192.0.2.1')).toBe(false);
  expect(source.gone).toBe(1);
});

it('asks again at once when none of them could be connected to, and once for many', async () => {
  const source = resolver('192.0.2.1');
  const addresses = new Addresses({ host: 'a', ...source });
  addresses.refreshAfterFailure();
  expect(source.asked).toEqual([]);
  await addresses.resolve();
  source.answer = ['192.0.2.2'];
  addresses.refreshAfterFailure();
  addresses.refreshAfterFailure();
  expect(source.asked).toHaveLength(2);
  await vi.waitUntil(() => addresses.has('192.0.2.2'));
  expect(addresses.known).toEqual(['192.0.2.2']);
});

it('asks ten times a second at most while none of them can be connected to', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  const source = resolver('192.0.2.1');
  const addresses = new Addresses({ host: 'a', ...source });
  await addresses.resolve();
  const askedAfter = async (ms: number) => {
    vi.advanceTimersByTime(ms);
    addresses.refreshAfterFailure();
    await new Promise(setImmediate);
    return source.asked.length;
  };
  expect([await askedAfter(1), await askedAfter(98), await askedAfter(2), await askedAfter(2)]).toEqual([
    2, 2, 3, 3,
  ]);
});

it('keeps what it knows while the resolver fails, and says so', async () => {
  const source = resolver('192.0.2.1');
  const told: string[] = [];
  const addresses = new Addresses({ host: 'a', ...source, onFailed: ({ message }) => told.push(message) });
  await addresses.resolve();
  source.answer = new Error('ENOTFOUND');
  await expect(addresses.resolve()).rejects.toThrow('ENOTFOUND');
  expect(told).toEqual([]);
  addresses.refreshAfterFailure();
  await vi.waitUntil(() => told.length > 0);
  expect(told).toEqual(['ENOTFOUND']);
  expect(source.asked).toHaveLength(3);
  expect(addresses.known).toEqual(['192.0.2.1']);
  expect(source.gone).toBe(0);
});

it('begins with the address that worked last, also after it asked again', async () => {
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
