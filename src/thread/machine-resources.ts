/** Reads what this machine, or the container, offers the process: CPU cores, memory, and whether threads can share a port. */
import net from 'node:net';
import os from 'node:os';
import process from 'node:process';
import type { MachineResources } from './relay-count.ts';

/** `address`: the one that the gateway will listen on. */
export async function readMachineResources(address: string): Promise<MachineResources> {
  return {
    // Counts the cores of the affinity mask, and no more than the whole cores of the CPU limit of the cgroup.
    cores: os.availableParallelism(),
    memory: memoryLimit(process.constrainedMemory(), os.totalmem()),
    sharesPort: await canSharePort(address),
  };
}

/**
 * `constrained`: the limit of the cgroup in bytes; 0 if there is none or it is unknown, and a number beyond any memory if
 * the cgroup has no limit.
 */
export function memoryLimit(constrained: number, total: number): number {
  return constrained > 0 ? Math.min(constrained, total) : total;
}

/** Errors of the option `reusePort` itself: libuv does not offer it on this platform, or the kernel does not know it. */
const unsupported = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENOPROTOOPT']);

/**
 * Tries it on a free port, since support depends on the platform and on the version of its kernel: Linux and FreeBSD have
 * it, macOS and Windows have not (Node's documentation of `reusePort`).
 */
export async function canSharePort(address: string): Promise<boolean> {
  const server = net.createServer();
  try {
    return await new Promise<boolean>((resolve) => {
      // Any other error is the address's: the listener reports it.
      server.once('error', ({ code }: NodeJS.ErrnoException) => resolve(!unsupported.has(code ?? '')));
      server.listen({ host: address, port: 0, reusePort: true }, () => resolve(true));
    });
  } finally {
    if (server.listening) await new Promise((done) => server.close(done));
  }
}
