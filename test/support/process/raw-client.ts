/** A client that writes bytes of its own choice and ends in a way of its own choice, from an address of its own. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export type Step =
  | Uint8Array
  | string
  /** Waits for bytes of the gateway. */
  | 'ANSWER'
  /** FIN. */
  | 'END'
  /** RST (SO_LINGER 0). */
  | 'RESET'
  | (() => Promise<unknown>);

/** Resolves once the connection is closed, by whichever side. */
export async function rawClient(
  { port, localAddress }: { readonly port: number; readonly localAddress: string },
  ...steps: readonly Step[]
): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true }).on('error', () => {});
  await once(socket, 'connect');
  const closed = once(socket, 'close');
  for (const step of steps) await take(socket, step);
  socket.resume();
  await closed;
}

async function take(socket: Socket, step: Step): Promise<void> {
  if (step === 'ANSWER') return void (await once(socket, 'data'));
  if (step === 'END') return void socket.end();
  if (step === 'RESET') return void socket.resetAndDestroy();
  if (typeof step === 'function') return void (await step());
  if (typeof step === 'string') socket.write(step, 'latin1');
  else socket.write(step);
}
