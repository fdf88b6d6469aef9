/** The floor: `https.createServer` on the same Node with a fixed response. It relays nothing, logs nothing, checks no CRL. */
import { spawnSync } from 'node:child_process';
import { node } from '../processes.ts';
import type { Peer, PeerNeeds } from './peer.ts';
import { startServerProcess } from './server-process.ts';

export function startNode(needs: PeerNeeds): Promise<Peer> {
  const { stdout } = spawnSync(node, ['-p', 'process.version'], { encoding: 'utf8' });
  return startServerProcess({ name: 'node', version: stdout.trim(), file: './node-server.ts', needs });
}
