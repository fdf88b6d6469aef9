/** `npm run bench`: gateway, HAProxy, nginx and http-proxy under the same load, in turn, as ratios to the reference. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeCertificates } from './certificates.ts';
import { checkDuties } from './duties.ts';
import type { HostAnswer } from './host.ts';
import { type ModeName, modes } from './modes.ts';
import { readOptions } from './options.ts';
import { startGateway } from './peers/gateway.ts';
import { startHaproxy } from './peers/haproxy.ts';
import { startHttpProxy } from './peers/http-proxy.ts';
import { startNginx } from './peers/nginx.ts';
import type { Peer, PeerName, PeerNeeds } from './peers/peer.ts';
import { cores, node, pinSelf, start, stop } from './processes.ts';
import { describeMachine, formatMode, type Round } from './report.ts';
import { command, measureSlice } from './slice.ts';

/** Rounds before the first one that is kept: code that Node has not compiled yet costs several times as much. */
const warmUps = 3;

function startPeer(name: PeerName, needs: PeerNeeds): Promise<Peer> {
  switch (name) {
    case 'haproxy':
      return startHaproxy(needs);
    case 'nginx':
      return startNginx(needs);
    case 'http-proxy':
      return startHttpProxy(needs);
    case 'before':
      return startGateway(needs, { name, checkout: against });
    case 'gateway':
      return startGateway(needs, { name, profile });
    default:
      return name satisfies never;
  }
}

function startOwn(file: string): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return start({ command: [node, path], core: cores.load, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** Every round begins with another peer, so that none always follows the same one. */
async function measureRound(options: {
  load: ChildProcess;
  peers: readonly Peer[];
  mode: ModeName;
  round: number;
  milliseconds: number;
}): Promise<Round> {
  const { load, peers, mode, round, milliseconds } = options;
  const first = (round + warmUps) % peers.length;
  const slices: Round = {};
  for (const peer of [...peers.slice(first), ...peers.slice(0, first)]) {
    slices[peer.name] = await measureSlice({ load, peer, mode: modes[mode], milliseconds });
  }
  return slices;
}

const { root, offer, profile, against, milliseconds, ...options } = readOptions();
pinSelf(cores.load);
if (profile !== null) mkdirSync(profile, { recursive: true });
const certificates = makeCertificates();

const host = startOwn('./host.ts');
const [hostReady] = (await once(host, 'message')) as [HostAnswer];
if (!('port' in hostReady)) throw new Error('the host did not tell its port');
const load = startOwn('./load.ts');
await command(load, { type: 'identity', certificates, offer });

const peers: Peer[] = [];
for (const name of options.peers) {
  peers.push(await startPeer(name, { certificates, upstream: hostReady.port, root }));
}
const facts = describeMachine(peers);
for (const [name, fact] of Object.entries(facts)) console.log(`${name.padEnd(14)} ${fact}`);
for (const peer of peers) await checkDuties({ load, host, peer });

const reports: { mode: ModeName; rounds: Round[] }[] = [];
for (const mode of options.modes) {
  const rounds: Round[] = [];
  for (let round = -warmUps; round < options.rounds; round += 1) {
    const measured = await measureRound({ load, peers, mode, round, milliseconds });
    if (round >= 0) rounds.push(measured);
  }
  reports.push({ mode, rounds });
  console.log(`\n${formatMode({ mode, rounds }, peers)}`);
}
if (options.json !== null) writeFileSync(options.json, JSON.stringify({ facts, offer, reports }, null, 2));

for (const peer of peers) await stop(peer.process);
if (profile !== null) console.log(`\nCPU profiles: ${profile}`);
process.exit();
