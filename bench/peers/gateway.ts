/** The gateway itself, as an operator runs it: audit to a file, metrics on, both CRLs, allowlist and match. */
import type { ChildProcess } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { clientNames } from '../certificates.ts';
import { messagePath } from '../message.ts';
import { cores, node, nodeVersion, type Start, start } from '../processes.ts';
import { tokenPolicy } from '../token.ts';
import { manyPins, manyRanges, manyRoutes } from './many.ts';
import { makeHome, type Peer, type PeerName, type PeerNeeds } from './peer.ts';

const thisCheckout = fileURLToPath(new URL('../../', import.meta.url));

export interface GatewayStart {
  readonly name: PeerName;
  /** Folder of the checkout whose gateway it is; absent: this one. */
  readonly checkout?: string | null;
  /** A thousand ranges, pins and routes instead of one range, no pin and one route. */
  readonly large?: boolean;
  /** Seals its audit every second, and signs the seals. */
  readonly sealed?: boolean;
  /** Whether each message has an access token, which is only forwarded, or judged by a policy. */
  readonly token?: 'forwarded' | 'judged';
  readonly relays?: number;
  /** Where it runs; absent: on the gateways' core. */
  readonly core?: Start['core'];
  /** Folder for the CPU profiles that Node writes when the gateway has drained; null: none. */
  readonly profile?: string | null;
}

export async function startGateway(needs: PeerNeeds, options: GatewayStart): Promise<Peer> {
  const { name, checkout = null, profile = null, core = cores.gateway } = options;
  const root = checkout ?? thisCheckout;
  const home = makeHome({ certificates: needs.certificates, root: null });
  const audit = join(home.outside, 'audit.log');
  const config = join(home.outside, 'gateway.yaml');
  const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' });
  writeFileSync(join(home.outside, 'audit.key'), key, { mode: 0o600 });
  writeFileSync(join(home.outside, 'jwks.json'), needs.token.keys);
  writeFileSync(config, configure({ needs, audit, ...options }));
  const flags = profile === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profile}`];
  const process = start({
    command: [node, ...flags, join(root, 'src/main.ts'), 'run', '--config', config],
    core,
    stdio: ['ignore', 'pipe', 'inherit'],
    environment: allocatorSettings(root),
  });
  const ready = await readyLine(process);
  return {
    name,
    version: `${checkout ?? 'this checkout'}, ${nodeVersion}`,
    port: ready.listen.port,
    process,
    log: { file: audit, message: '"type":"message"', full: '"resumed":false', resumed: '"resumed":true' },
    token: options.token === undefined ? undefined : needs.token.token,
  };
}

/** The settings of malloc in the image of a checkout and in its systemd unit. */
export function allocatorSettings(checkout: string): Record<string, string> {
  const dockerfile = readFileSync(join(checkout, 'Dockerfile'), 'latin1');
  return Object.fromEntries(
    [...dockerfile.matchAll(/^ENV (MALLOC_\w+)=(\S+)$/gm)].map(([, name, value]) => [name, value]),
  );
}

/** The line that a gateway prints when it is ready. */
export async function readyLine(process: ChildProcess): Promise<{ listen: { port: number } }> {
  const output = process.stdout;
  if (output === null) throw new Error('the gateway has no standard output');
  const ended = once(process, 'exit').then(([code]) => `exit code ${code}`);
  const first = await Promise.race([once(createInterface(output), 'line'), ended]);
  if (typeof first === 'string') throw new Error(`the gateway did not start: ${first}`);
  output.resume();
  return JSON.parse(first[0]);
}

function configure(options: GatewayStart & { needs: PeerNeeds; audit: string }): string {
  const { needs, audit, large = false, sealed = false, token, relays = 1 } = options;
  const { upstream, certificates } = needs;
  const allowlist = large ? manyRanges() : ['127.0.0.0/8'];
  const pins = large ? { pins: manyPins(certificates.client.chain) } : {};
  const policy = token === 'judged' ? { bearer: { ...tokenPolicy, jwks: { file: 'jwks.json' } } } : {};
  const revocation = { crl: ['root.crl', 'issuing.crl'], ocsp: 'off' };
  return stringify({
    listen: { address: '127.0.0.1', port: 0, certificate: { chain: 'server.pem', key: 'server.key' } },
    trust: { anchors: [{ name: 'bench', files: ['root.pem', 'issuing.pem'], revocation }] },
    clients: { allowlist, ...pins, match: clientNames },
    routes: large
      ? manyRoutes(messagePath, upstream)
      : [{ path: '/', upstream: `http://127.0.0.1:${upstream}`, ...policy }],
    relays,
    admin: { address: '127.0.0.1', port: 0 },
    audit: { destination: audit, ...(sealed ? { seal: { key: 'audit.key' } } : {}) },
  });
}
