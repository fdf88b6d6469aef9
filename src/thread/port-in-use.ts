/** Checks that no other process listens on a port, by binding it exclusively for a moment. */
import net from 'node:net';
import { GatewayError } from '../errors.ts';

/** Returns the port, or for 0 a free one. Throws GatewayError ADDRESS_IN_USE or LISTEN. */
export async function probePort({ address, port }: { address: string; port: number }): Promise<number> {
  const server = net.createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: address, port, exclusive: true }, resolve);
    });
    return (server.address() as net.AddressInfo).port;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new GatewayError({
      code: code === 'EADDRINUSE' ? 'ADDRESS_IN_USE' : 'LISTEN',
      message: `cannot listen on ${address}:${port}: ${code}`,
      cause,
    });
  } finally {
    await new Promise((done) => server.close(done));
  }
}
