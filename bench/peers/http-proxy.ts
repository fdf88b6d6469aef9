/** The baseline in Node: the npm package http-proxy on `https.createServer`, bare: no log, no CRL, no fields set. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { cores, node, start } from '../processes.ts';
import type { Peer, PeerNeeds } from './peer.ts';

const server = fileURLToPath(new URL('./http-proxy-server.ts', import.meta.url));

export async function startHttpProxy(needs: PeerNeeds): Promise<Peer> {
  // http-proxy 1.18 calls util._extend, for which Node prints a warning.
  const process = start({
    command: [node, '--no-deprecation', server],
    core: cores.gateway,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  process.send(needs);
  const [{ port }] = (await once(process, 'message')) as [{ port: number }];
  const { version } = JSON.parse(
    readFileSync(createRequire(import.meta.url).resolve('http-proxy/package.json'), 'utf8'),
  ) as { version: string };
  return { name: 'http-proxy', version, port, process, log: null };
}
