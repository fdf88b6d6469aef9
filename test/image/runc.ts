/** A container by runc: read-only, no capability, no new privilege, namespaces of its own but for the network. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Container, type ContainerOptions, healthCommand, type Mount } from './container.ts';

const runc = (...argv: string[]) => spawnSync('runc', argv, { encoding: 'utf8' });

interface Bundle {
  readonly folder: string;
  readonly root: string;
  readonly process: { args: readonly string[]; env: readonly string[]; user: { uid: number; gid: number } };
  readonly mounts: readonly Mount[];
}

async function writeBundle({ folder, root, process, mounts }: Bundle): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { stderr, status } = runc('spec', '--bundle', folder);
  if (status !== 0) throw new Error(`runc spec: ${stderr}`);
  const file = join(folder, 'config.json');
  const spec = JSON.parse(await readFile(file, 'utf8'));
  const capabilities = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
  spec.root = { path: root, readonly: true };
  spec.process = { ...process, cwd: '/', capabilities, noNewPrivileges: true };
  // The network is the test's.
  spec.linux.namespaces = ['pid', 'ipc', 'uts', 'mount'].map((type) => ({ type }));
  delete spec.linux.resources;
  const bind = ({ source, destination, writable = false }: Mount) => ({
    ...{ source, destination, type: 'bind' },
    options: ['bind', 'nosuid', 'nodev', 'noexec', writable ? 'rw' : 'ro'],
  });
  spec.mounts = [
    ...spec.mounts.filter(({ type }: { type: string }) => type !== 'cgroup'),
    ...mounts.map(bind),
  ];
  await writeFile(file, JSON.stringify(spec));
}

/** Why it does not even run `true` of the machine's own root; undefined where it does. */
export async function refusalOfRunc(folder: string): Promise<string | undefined> {
  const root = join(folder, 'root');
  const user = { uid: 65_532, gid: 65_532 };
  await mkdir(root, { recursive: true });
  await writeBundle({
    folder,
    root,
    mounts: [],
    process: { args: ['true'], env: ['PATH=/usr/bin:/bin'], user },
  });
  // The mount ends with its namespace.
  const script = 'mount --bind / "$1/root" && exec runc run --bundle "$1" "$2"';
  const id = `ehi-gateway-probe-${process.pid}`;
  const { status, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script, 'sh', folder, id], {
    encoding: 'utf8',
  });
  return status === 0 ? undefined : stderr.trim();
}

export async function runcContainer({ image, root, folder, mounts }: ContainerOptions): Promise<Container> {
  const id = `ehi-gateway-${process.pid}`;
  const [uid = 0, gid = 0] = image.User.split(':').map(Number);
  const args = [...image.Entrypoint, ...image.Cmd];
  await writeBundle({ folder, root, mounts, process: { args, env: image.Env, user: { uid, gid } } });
  const child = spawn('runc', ['run', '--bundle', folder, id], { stdio: ['ignore', 'pipe', 'inherit'] });
  return {
    stdout: child.stdout,
    exited: once(child, 'exit').then(([code]) => code),
    health: () => {
      const env = image.Env.flatMap((variable) => ['--env', variable]);
      const ran = runc('exec', ...env, '--user', image.User, id, ...healthCommand(image));
      return { code: ran.status, line: `${ran.stdout}${ran.stderr}`.trim() };
    },
    stop: () => void runc('kill', id, image.StopSignal),
    kill: () => void runc('delete', '--force', id),
  };
}
