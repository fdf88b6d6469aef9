/** From the spawn of the built gateway to its ready line: anchors and CRLs from URLs, all of them in its cache. */
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { createDirectory, type DirectoryFiles, serveFile } from '../../src/demo/directory.ts';
import { type Certificates, clientNames, makeCertificates } from '../certificates.ts';
import { align, describeMachine, median, printFacts, quartiles } from '../figures.ts';
import type { BenchOptions } from '../options.ts';
import { allocatorSettings, readyLine } from '../peers/gateway.ts';
import { makeHome } from '../peers/peer.ts';
import { cores, node, pinSelf, type Start, start, stop } from '../processes.ts';

/** The first start fills the cache; the next one finds it, and everything that the operating system caches. */
const warmUps = 2;

const placements = [
  { name: 'one core', core: cores.gateway },
  { name: 'both cores', core: [cores.gateway, cores.load] },
] as const;

export async function measureStart({ rounds, against }: BenchOptions): Promise<void> {
  pinSelf(cores.load);
  const certificates = makeCertificates();
  const sources = await serveTrust(certificates);
  const checkouts = against === null ? { gateway: '.' } : { before: against, gateway: '.' };
  const starts = Object.entries(checkouts).flatMap(([name, folder]) => {
    const main = resolve(folder, 'dist/main.js');
    if (!existsSync(main)) throw new Error(`${main} is measured: npm run build`);
    const config = configure(certificates, sources);
    return placements.map((placement) => ({
      name: `${name}, ${placement.name}`,
      command: [node, main, 'run', '--config', config],
      core: placement.core,
      environment: allocatorSettings(folder),
      times: [] as number[],
    }));
  });
  for (let round = -warmUps; round < rounds; round += 1) {
    for (const { command, core, environment, times } of starts) {
      const time = await timeStart({ command, core, environment });
      if (round >= 0) times.push(time);
    }
  }
  printFacts(describeMachine([]));
  console.log(`\nstart: ms from spawn to ready line, anchors and CRLs from the cache; ${rounds} starts`);
  const rows = starts.map(({ name, times }) => [name, median(times).toFixed(0), quartiles(times, 0)]);
  console.log(align([['', 'median', 'quartiles'], ...rows]));
}

async function timeStart(options: Pick<Start, 'command' | 'core' | 'environment'>): Promise<number> {
  const began = performance.now();
  const process = start({ ...options, stdio: ['ignore', 'pipe', 'ignore'] });
  await readyLine(process);
  const time = performance.now() - began;
  await stop(process);
  return time;
}

interface Sources {
  readonly anchors: readonly string[];
  readonly crls: readonly string[];
}

/** As a CA publishes them: its certificates over HTTPS, its CRLs over HTTP. */
async function serveTrust({ root, issuing, crls, server }: Certificates): Promise<Sources> {
  const files: DirectoryFiles = new Map([
    ['/root.pem', root],
    ['/issuing.pem', issuing],
    ['/root.crl', crls[0]],
    ['/issuing.crl', crls[1]],
  ]);
  const secure = createDirectory({ cert: server.chain, key: server.key, files });
  const plain = createServer((request, response) => serveFile(files, request, response));
  for (const each of [secure, plain]) await once(each.listen(0, '127.0.0.1'), 'listening');
  const url = (scheme: string, { port }: AddressInfo, path: string) => `${scheme}://127.0.0.1:${port}${path}`;
  return {
    anchors: ['/root.pem', '/issuing.pem'].map((path) => url('https', secure.address() as AddressInfo, path)),
    crls: ['/root.crl', '/issuing.crl'].map((path) => url('http', plain.address() as AddressInfo, path)),
  };
}

/** Makes a folder with a configuration, and later its cache; returns the path of the configuration. */
function configure(certificates: Certificates, { anchors, crls }: Sources): string {
  const { outside } = makeHome({ certificates, root: null });
  const anchor = {
    name: 'bench',
    urls: anchors,
    tls: { ca: 'root.pem' },
    revocation: { crl: crls, ocsp: 'off' },
  };
  const config = {
    listen: { address: '127.0.0.1', port: 0, certificate: { chain: 'server.pem', key: 'server.key' } },
    trust: { anchors: [anchor], cacheDir: 'trust' },
    clients: { allowlist: ['127.0.0.0/8'], match: clientNames },
    routes: [{ path: '/', upstream: 'http://127.0.0.1:8080' }],
    relays: 1,
    admin: { address: '127.0.0.1', port: 0 },
    audit: { destination: 'audit.log' },
  };
  const file = join(outside, 'gateway.yaml');
  writeFileSync(file, stringify(config));
  return file;
}
