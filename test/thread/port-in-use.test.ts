import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { expect, it } from 'vitest';
import { probePort } from '../../src/thread/port-in-use.ts';
import { listenOnLoopback } from '../support/process/listening.ts';

const address = '127.0.0.1';

it('finds a free port, and has released it when it resolves', async () => {
  const port = await probePort({ address, port: 0 });
  expect(port).toBeGreaterThan(0);
  expect(await probePort({ address, port })).toBe(port);
  const server = createServer().listen({ host: address, port });
  await once(server, 'listening');
  server.close();
});

it('rejects a port that is in use, with or without reusePort', async () => {
  await using taken = await listenOnLoopback(createServer());
  const error = { code: 'ADDRESS_IN_USE' };
  await expect(probePort({ address, port: taken.port })).rejects.toMatchObject(error);

  const sharing = createServer().listen({ host: address, port: 0, reusePort: true });
  await once(sharing, 'listening');
  const { port } = sharing.address() as { port: number };
  const claim = probePort({ address, port });
  await expect(claim).rejects.toMatchObject(error);
  await expect(claim).rejects.toThrow(`cannot listen on ${address}:${port}: EADDRINUSE`);
  sharing.close();
});

it('rejects an address that this machine does not have with another code', async () => {
  const claim = probePort({ address: '192.0.2.1', port: 0 });
  await expect(claim).rejects.toMatchObject({
    code: 'LISTEN',
    message: expect.stringContaining('EADDRNOTAVAIL'),
  });
});

it('has closed the port when it resolves: connections are refused', async () => {
  const port = await probePort({ address, port: 0 });
  const socket = connect({ host: address, port });
  await expect(once(socket, 'connect')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
