/** Starts a peer that is a TypeScript file of the bench: it gets its certificates and its host, and sends its port. */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { cores, node, start } from '../processes.ts';
import type { Peer, PeerNeeds } from './peer.ts';

export async function startServerProcess(options: {
  readonly name: Peer['name'];
  readonly version: string;
  /** Relative to this folder. */
  readonly file: string;
  readonly flags?: readonly string[];
  readonly needs: PeerNeeds;
}): Promise<Peer> {
  const { name, version, file, flags = [], needs } = options;
  const process = start({
    command: [node, ...flags, fileURLToPath(new URL(file, import.meta.url))],
    core: cores.gateway,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  process.send(needs);
  const [{ port }] = (await once(process, 'message')) as [{ port: number }];
  return { name, version, port, process, log: null };
}
