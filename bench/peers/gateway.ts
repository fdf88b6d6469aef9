/** The gateway itself, as an operator runs it: audit to a file, metrics on, both CRLs, allowlist and match. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { clientNames } from '../certificates.ts';
import { cores, node, nodeVersion, start } from '../processes.ts';
import { makeHome, type Peer, type PeerName, type PeerNeeds } from './peer.ts';

const thisCheckout = fileURLToPath(new URL('../../', import.meta.url));

export interface GatewayStart {
  readonly name: PeerName;
  /** Folder of the checkout whose gateway it is; absent: this one. */
  readonly checkout?: string | null;
  /** Folder for the CPU profiles that Node writes when the gateway has drained; null: none. */
  readonly profile?: string | null;
}

export async function startGateway(
  needs: PeerNeeds,
  { name, checkout = null, profile = null }: GatewayStart,
): Promise<Peer> {
  const home = makeHome({ certificates: needs.certificates, root: null });
  const audit = join(home.outside, 'audit.log');
  const config = join(home.outside, 'gateway.yaml');
  writeFileSync(config, configure({ upstream: needs.upstream, audit }));
  const flags = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const process = start({
    command: [node, ...flags, join(checkout ?? thisCheckout, 'src/main.ts'), 'run', '--config', config],
    core: cores.gateway,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const output = process.stdout;
  if (output === null) throw new Error('the gateway has no standard output');
  const ended = once(process, 'exit').then(([code]) => `exit code ${code}`);
  const first = await Promise.race([once(createInterface(output), 'line'), ended]);
  if (typeof first === 'string') throw new Error(`the gateway did not start: ${first}`);
  output.resume();
  const ready = JSON.parse(first[0]) as { listen: { port: number } };
  return {
    name,
    version: `${checkout ?? 'this checkout'}, ${nodeVersion}`,
    port: ready.listen.port,
    process,
    log: { file: audit, message: '"type":"message"', full: '"resumed":false', resumed: '"resumed":true' },
  };
}

function configure({ upstream, audit }: { upstream: number; audit: string }): string {
  const revocation = { crl: ['root.crl', 'issuing.crl'], ocsp: 'off' };
  return stringify({
    listen: { address: '127.0.0.1', port: 0, certificate: { chain: 'server.pem', key: 'server.key' } },
    trust: { anchors: [{ name: 'bench', files: ['root.pem', 'issuing.pem'], revocation }] },
    clients: { allowlist: ['127.0.0.0/8'], match: clientNames },
    routes: [{ path: '/', upstream: `http://127.0.0.1:${upstream}` }],
    relays: 1,
    admin: { address: '127.0.0.1', port: 0 },
    audit: { destination: audit },
  });
}
