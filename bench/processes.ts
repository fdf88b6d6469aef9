/** Child processes pinned to a core, and their end: none outlives the bench, however it ends. */
import { type ChildProcess, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** The gateways have one core, the load generator and the host have the other. */
export const cores = { gateway: 0, load: 1 } as const;

/** The Node that our own processes run on. */
export const node = process.env.NODE_UNDER_TEST ?? process.execPath;

const versions = '"Node " + process.version + ", OpenSSL " + process.versions.openssl';
export const nodeVersion = spawnSync(node, ['-p', versions], { encoding: 'utf8' }).stdout.trim();

const children = new Set<ChildProcess>();
const folders = new Set<string>();

process.on('exit', () => {
  for (const child of children) kill(child);
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

/** Pins this process, all of its threads, and the processes that it will start. */
export function pinSelf(core: Start['core']): void {
  pin(process.pid, core);
}

/** The same for a running process. */
export function pin(pid: number, core: Start['core']): void {
  const { status } = spawnSync('taskset', ['-a', '-c', '-p', String(core), String(pid)]);
  if (status !== 0) throw new Error('taskset (util-linux) is needed to pin processes to cores');
}

export interface Start {
  readonly command: readonly string[];
  /** One core, or several. */
  readonly core: number | readonly number[];
  readonly stdio?: SpawnOptions['stdio'];
  /** In addition to the bench's own environment. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** Starts a process on its core and in its root; `taskset` and `chroot` exec the command, so the id is the command's. */
export function start(options: Start): ChildProcess {
  const { command, core, stdio = ['ignore', 'ignore', 'inherit'], environment = {} } = options;
  const env = { ...process.env, ...environment };
  // A group of its own, so that its children can be ended with it.
  const child = spawn('taskset', ['-c', String(core), ...command], { stdio, env, detached: true });
  children.add(child);
  child.once('exit', () => children.delete(child));
  return child;
}

/** Sends SIGTERM, and SIGKILL after ten seconds. */
export async function stop(child: ChildProcess): Promise<void> {
  if (!children.has(child)) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => kill(child), 10_000);
  await exit;
  clearTimeout(force);
}

function kill(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has just ended.
  }
}

/** A folder that is removed when the bench ends. */
export function makeFolder(under = tmpdir()): string {
  const folder = mkdtempSync(join(under, 'ehi-bench-'));
  folders.add(folder);
  return folder;
}

/** A free loopback port, for servers that do not report the port that they chose. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** Resolves when the port accepts connections; throws if the process ends first, and after ten seconds. */
export async function accepting(child: ChildProcess, port: number): Promise<void> {
  for (const end = Date.now() + 10_000; Date.now() < end; await delay(20)) {
    if (child.exitCode !== null) throw new Error(`${child.spawnargs.join(' ')} ended with ${child.exitCode}`);
    const socket = connect(port, '127.0.0.1');
    const accepted = await once(socket, 'connect').then(
      () => true,
      () => false,
    );
    socket.destroy();
    if (accepted) return;
  }
  throw new Error(`${child.spawnargs.join(' ')} does not listen on ${port}`);
}
