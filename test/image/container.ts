/** An image as a container, by runc: what the image says, and the least that a runtime may give it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** As an image of Docker's format keeps it. */
export interface ImageConfig {
  readonly User: string;
  readonly Env: readonly string[];
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly StopSignal: string;
  readonly Healthcheck: { readonly Test: readonly string[] };
}

export interface ContainerOptions {
  /** Where the image's files are mounted. */
  readonly root: string;
  /** What `buildah inspect --type image` prints. */
  readonly inspection: string;
  /** For what runc keeps of it. */
  readonly folder: string;
  readonly mounts: readonly {
    readonly source: string;
    readonly destination: string;
    readonly writable?: boolean;
  }[];
}

export interface Container {
  readonly stdout: Readable;
  readonly exited: Promise<number | null>;
  /** The image's own health check, in the container: its exit code and its line. */
  health(): { readonly code: number | null; readonly line: string };
  /** The image's own stop signal. */
  stop(): void;
  kill(): void;
}

export async function readImage(inspection: string): Promise<ImageConfig> {
  const { Docker } = JSON.parse(await readFile(inspection, 'utf8')) as { Docker: { config: ImageConfig } };
  return Docker.config;
}

/** Read-only, no capability, no new privilege, namespaces of its own but for the network: the test is its network. */
export async function startContainer({
  root,
  inspection,
  folder,
  mounts,
}: ContainerOptions): Promise<Container> {
  const image = await readImage(inspection);
  const id = `ehi-gateway-${process.pid}`;
  await mkdir(folder);
  const runc = (...argv: string[]) => spawnSync('runc', argv, { encoding: 'utf8' });
  const { stderr, status } = runc('spec', '--bundle', folder);
  if (status !== 0) throw new Error(`runc spec: ${stderr}`);
  const file = join(folder, 'config.json');
  const spec = JSON.parse(await readFile(file, 'utf8'));
  const [uid, gid] = image.User.split(':').map(Number);
  const none = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
  spec.root = { path: root, readonly: true };
  spec.process = {
    args: [...image.Entrypoint, ...image.Cmd],
    env: image.Env,
    cwd: '/',
    user: { uid, gid },
    capabilities: none,
    noNewPrivileges: true,
  };
  spec.linux.namespaces = ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type }));
  delete spec.linux.resources;
  // Every runtime brings these two.
  const own = ['/etc/hosts', '/etc/resolv.conf'].map((path) => ({ source: path, destination: path }));
  const bind = ({ source, destination, writable = false }: ContainerOptions['mounts'][number]) => ({
    ...{ source, destination, type: 'bind' },
    options: ['bind', 'nosuid', 'nodev', 'noexec', writable ? 'rw' : 'ro'],
  });
  spec.mounts = [
    ...spec.mounts.filter(({ type }: { type: string }) => type !== 'cgroup'),
    ...[...own, ...mounts].map(bind),
  ];
  await writeFile(file, JSON.stringify(spec));

  const child: ChildProcess = spawn('runc', ['run', '--bundle', folder, id], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return {
    stdout: child.stdout as Readable,
    exited: once(child, 'exit').then(([code]) => code),
    health: () => {
      const [kind, ...command] = image.Healthcheck.Test;
      if (kind !== 'CMD') throw new Error(`the health check needs a shell: ${kind}`);
      const env = image.Env.flatMap((variable) => ['--env', variable]);
      const ran = runc('exec', ...env, '--user', image.User, id, ...command);
      return { code: ran.status, line: `${ran.stdout}${ran.stderr}`.trim() };
    },
    stop: () => void runc('kill', id, image.StopSignal),
    kill: () => void runc('delete', '--force', id),
  };
}
