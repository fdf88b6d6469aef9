import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { probePort } from '../../src/thread/port-probe.ts';
import { listenOnLoopback } from '../support/process/listening.ts';

const address = '127.0.0.1';

it('finds a free port, and has let go of it when it answers', async () => {
  const port = await probePort({ address, port: 0 });
  expect(port).toBeGreaterThan(0);
  expect(await probePort({ address, port })).toBe(port);
  const server = createServer().listen({ host: address, port });
  await once(server, 'listening');
  server.close();
});

it('is refused a port that somebody has, whether or not that one would share it', async () => {
  await using taken = await listenOnLoopback(createServer());
  const error = { code: 'ADDRESS_IN_USE', side: 'internal' };
  await expect(probePort({ address, port: taken.port })).rejects.toMatchObject(error);

  const sharing = createServer().listen({ host: address, port: 0, reusePort: true });
  await once(sharing, 'listening');
  const { port } = sharing.address() as { port: number };
  const claim = probePort({ address, port });
  await expect(claim).rejects.toMatchObject(error);
  await expect(claim).rejects.toThrow(`cannot listen on ${address}:${port}: EADDRINUSE`);
  sharing.close();
});

it('tells an address that this machine does not have from one that is taken', async () => {
  const claim = probePort({ address: '192.0.2.1', port: 0 });
  await expect(claim).rejects.toMatchObject({
    code: 'LISTEN',
    message: expect.stringContaining('EADDRNOTAVAIL'),
  });
});

it('accepts nobody: the port is closed again before it answers', async () => {
  const port = await probePort({ address, port: 0 });
  const socket = connect({ host: address, port });
  await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
