/** A real API server with its etcd on loopback: objects are admitted and stored as anywhere; no pod ever starts. */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { command } from '../../helm/support/chart.ts';
import { definitionsFolder } from '../../helm/support/definitions.ts';

const token = 'of-this-test';
const startMs = 60_000;

export class Cluster implements AsyncDisposable {
  readonly folder: string;
  readonly #processes: ChildProcess[];

  constructor(folder: string, processes: ChildProcess[]) {
    this.folder = folder;
    this.#processes = processes;
  }

  /** `input` on standard input. */
  kubectl(args: readonly string[], input?: string) {
    return command('kubectl', ['--kubeconfig', join(this.folder, 'kubeconfig'), ...args], input);
  }

  helm(args: readonly string[]) {
    return command('helm', ['--kubeconfig', join(this.folder, 'kubeconfig'), ...args]);
  }

  /** In the order that was not asked for: the API server goes before its etcd. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const child of this.#processes.toReversed()) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill();
      await once(child, 'exit');
    }
    await rm(this.folder, { recursive: true });
  }
}

/** Ready, with the custom resources of cert-manager and of the Prometheus operator. */
export async function startCluster(): Promise<Cluster> {
  const folder = await mkdtemp(join(tmpdir(), 'ehi-cluster-'));
  const file = (name: string) => join(folder, name);
  const [client, peer, secure] = await freePorts(3);
  const processes: ChildProcess[] = [];
  const start = (name: string, args: readonly string[]) => {
    const log = openSync(file(`${name}.log`), 'w');
    processes.push(spawn(name, args, { cwd: folder, stdio: ['ignore', log, log] }));
    closeSync(log);
  };
  await using started = new AsyncDisposableStack();
  const cluster = started.use(new Cluster(folder, processes));

  await writeFile(
    file('sa.key'),
    generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey,
  );
  await writeFile(file('tokens.csv'), `${token},admin,admin,"system:masters"\n`);
  await writeFile(file('kubeconfig'), kubeconfig(`https://127.0.0.1:${secure}`));
  const etcd = `http://127.0.0.1:${client}`;
  const member = `http://127.0.0.1:${peer}`;
  start('etcd', [
    ...['--data-dir', file('etcd'), '--listen-client-urls', etcd, '--advertise-client-urls', etcd],
    ...['--listen-peer-urls', member, '--initial-advertise-peer-urls', member],
    ...['--initial-cluster', `default=${member}`],
  ]);
  start('kube-apiserver', [
    ...['--etcd-servers', etcd, '--bind-address', '127.0.0.1', '--secure-port', String(secure)],
    ...['--cert-dir', file('pki'), '--service-cluster-ip-range', '10.0.0.0/24,fd00:10::/112'],
    ...['--service-account-key-file', file('sa.key'), '--service-account-signing-key-file', file('sa.key')],
    ...['--service-account-issuer', 'https://kubernetes.default'],
    ...['--token-auth-file', file('tokens.csv'), '--authorization-mode', 'RBAC'],
  ]);
  await untilReady(cluster, processes);
  installDefinitions(cluster);
  started.move();
  return cluster;
}

async function untilReady(cluster: Cluster, processes: readonly ChildProcess[]): Promise<void> {
  const end = Date.now() + startMs;
  while (cluster.kubectl(['get', '--raw', '/readyz']).stdout !== 'ok') {
    const dead = processes.find(({ exitCode }) => exitCode !== null);
    if (dead || Date.now() > end) {
      const log = await readFile(join(cluster.folder, 'kube-apiserver.log'), 'utf8');
      throw new Error(`${dead?.spawnfile ?? 'the API server'} does not start:\n${log.slice(-4000)}`);
    }
    await delay(200);
  }
}

function installDefinitions(cluster: Cluster): void {
  const files = readdirSync(definitionsFolder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /(_certificates|_servicemonitors|_podmonitors|_prometheusrules)\.yaml$/.test(name))
    .flatMap((name) => ['--filename', join(definitionsFolder, name)]);
  for (const args of [['create'], ['wait', '--for', 'condition=Established', '--timeout', '60s']]) {
    const { status, stderr } = cluster.kubectl([...args, ...files]);
    if (status !== 0) throw new Error(stderr);
  }
}

function kubeconfig(server: string): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'test', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'admin', user: { token } }],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'admin' } }],
    'current-context': 'test',
  });
}

/** All at once, so that no two are alike. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  for (const server of servers) server.close();
  return ports;
}
