/** What every measurement needs: an authority, a host and a load generator on one core, the peers on the other. */
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Certificates, makeCertificates } from './certificates.ts';
import { checkDuties } from './duties.ts';
import type { HostAnswer } from './host.ts';
import type { BenchOptions } from './options.ts';
import { startGateway } from './peers/gateway.ts';
import { startHaproxy } from './peers/haproxy.ts';
import { startHttpProxy } from './peers/http-proxy.ts';
import { startNginx } from './peers/nginx.ts';
import { startNode } from './peers/node.ts';
import type { Peer, PeerName, PeerNeeds } from './peers/peer.ts';
import { cores, node, pinSelf, type Start, start } from './processes.ts';
import { command } from './slice.ts';
import { makeToken } from './token.ts';

export interface Rig {
  readonly load: ChildProcess;
  readonly host: ChildProcess;
  readonly needs: PeerNeeds;
  readonly options: BenchOptions;
}

/** Every process that it starts ends with the bench (processes.ts). */
export async function openRig(options: BenchOptions, core: Start['core'] = cores.load): Promise<Rig> {
  pinSelf(core);
  const certificates = makeCertificates();
  const host = startOwn('./host.ts', core);
  const [ready] = (await once(host, 'message')) as [HostAnswer];
  if (!('port' in ready)) throw new Error('the host did not report its port');
  const token = await makeToken(certificates);
  const needs = { certificates, token, upstream: ready.port, root: options.root };
  return { load: await openLoad({ certificates, options, core }), host, needs, options };
}

export async function openLoad(setting: {
  certificates: Certificates;
  options: BenchOptions;
  core: Start['core'];
}): Promise<ChildProcess> {
  const { certificates, options, core } = setting;
  const load = startOwn('./load.ts', core);
  await command(load, { type: 'identity', certificates, offer: options.offer });
  return load;
}

/** Started, and checked for its duties. */
export async function openPeer(rig: Rig, name: PeerName): Promise<Peer> {
  const peer = await startPeer(rig, name);
  await checkDuties({ ...rig, peer });
  return peer;
}

function startPeer({ needs, options: { against, profile } }: Rig, name: PeerName): Promise<Peer> {
  switch (name) {
    case 'haproxy':
      return startHaproxy(needs);
    case 'nginx':
      return startNginx(needs);
    case 'node':
      return startNode(needs);
    case 'http-proxy':
      return startHttpProxy(needs);
    case 'before':
      return startGateway(needs, { name, checkout: against });
    case 'gateway':
      return startGateway(needs, { name, profile });
    case 'gateway-sealed':
      return startGateway(needs, { name, sealed: true });
    case 'gateway-large':
      return startGateway(needs, { name, large: true });
    case 'gateway-token':
      return startGateway(needs, { name, token: 'forwarded' });
    case 'gateway-bearer':
      return startGateway(needs, { name, token: 'judged' });
    default:
      return name satisfies never;
  }
}

function startOwn(file: string, core: Start['core']): ChildProcess {
  const path = fileURLToPath(new URL(file, import.meta.url));
  return start({ command: [node, path], core, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** In this order, but starting with another peer each round, so that no peer always follows the same one. */
export function inTurn<Item>(items: readonly Item[], round: number): Item[] {
  const first = ((round % items.length) + items.length) % items.length;
  return [...items.slice(first), ...items.slice(0, first)];
}
