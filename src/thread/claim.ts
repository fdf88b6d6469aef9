/** Has a port alone for a moment, to see that nobody else has it. */
import net from 'node:net';
import { GatewayError } from '../errors.ts';

/** The port, or for 0 the free one that was found. Throws GatewayError ADDRESS_IN_USE or LISTEN. */
export async function claimPort({ address, port }: { address: string; port: number }): Promise<number> {
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
