import { pbkdf2 } from 'node:crypto';
import { createServer } from 'node:net';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { connectTcp, resolveHost } from '../../src/probe/reach.ts';
import { listenOnLoopback } from '../support/process/listening.ts';
import { openSilentHost } from '../support/process/silent-host.ts';

const derive = promisify(pbkdf2);

describe('a name', () => {
  it('resolves to addresses of both families, each with its time', async () => {
    const [four, six] = await resolveHost({ host: 'localhost', timeoutMs: 20_000 });
    expect(four).toEqual({ family: 4, addresses: ['127.0.0.1'], error: null, ms: expect.any(Number) });
    expect(six?.family).toBe(6);
    expect(six?.addresses.includes('127.0.0.1')).toBe(false);
  });

  it('that does not exist has the resolver’s code', async () => {
    const found = await resolveHost({ host: 'no-such-host.invalid', timeoutMs: 20_000 });
    expect(found).toMatchObject([
      { family: 4, addresses: [], error: expect.stringMatching(/^E/) },
      { family: 6, addresses: [], error: expect.stringMatching(/^E/) },
    ]);
  });

  it('that does not resolve within the limit has an error of its own', async () => {
    // Each resolution waits for a thread of Node's pool.
    const busy = Array.from({ length: 8 }, () => derive('busy', 'salt', 1_000_000, 64, 'sha512'));
    const found = await resolveHost({ host: 'localhost', timeoutMs: 1 });
    expect(found.map(({ error }) => error)).toEqual(['timeout', 'timeout']);
    await Promise.all(busy);
  });

  it.each(['127.0.0.1', '::1'])('that is an address is not resolved: %s', async (host) => {
    expect(await resolveHost({ host, timeoutMs: 1000 })).toEqual([]);
  });
});

describe('an address', () => {
  it('accepts a TCP connection, which is closed again', async () => {
    await using server = await listenOnLoopback(createServer());
    expect(await connectTcp({ address: '127.0.0.1', port: server.port, timeoutMs: 20_000 })).toEqual({
      address: '127.0.0.1',
      error: null,
      ms: expect.any(Number),
    });
  });

  it('refuses it', async () => {
    const server = await listenOnLoopback(createServer());
    await server.close();
    expect(await connectTcp({ address: '127.0.0.1', port: server.port, timeoutMs: 20_000 })).toMatchObject({
      error: 'ECONNREFUSED',
    });
  });

  it('does not answer', async () => {
    await using silent = await openSilentHost();
    const port = Number(new URL(silent.url).port);
    expect(await connectTcp({ address: '127.0.0.1', port, timeoutMs: 100 })).toMatchObject({
      error: 'timeout',
    });
  });
});
