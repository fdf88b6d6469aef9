/** The baseline in Node: the npm package http-proxy on `https.createServer`, bare: no log, no CRL, no fields set. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Peer, PeerNeeds } from './peer.ts';
import { startServerProcess } from './server-process.ts';

export function startHttpProxy(needs: PeerNeeds): Promise<Peer> {
  const { version } = JSON.parse(
    readFileSync(createRequire(import.meta.url).resolve('http-proxy/package.json'), 'utf8'),
  ) as { version: string };
  // http-proxy 1.18 calls util._extend, for which Node prints a warning.
  const flags = ['--no-deprecation'];
  return startServerProcess({ name: 'http-proxy', version, file: './http-proxy-server.ts', flags, needs });
}
