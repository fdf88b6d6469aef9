/** An image's command in its own files, read-only and as its user, by chroot: for where no runtime runs. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type Container, type ContainerOptions, healthCommand, type Mount } from './container.ts';

/** Mounts end with the namespace; `$0` is the root. */
const script = (mounts: readonly Mount[]) =>
  [
    'set -e',
    'mount --bind "$0" "$0"',
    ...mounts.flatMap(({ source, destination, writable }) => [
      `[ -d ${source} ] || touch "$0${destination}"`,
      `mount --bind ${source} "$0${destination}"`,
      ...(writable ? [] : [`mount --options remount,bind,ro "$0${destination}"`]),
    ]),
    'mkdir -p "$0/proc" "$0/dev"',
    'mount --rbind /proc "$0/proc"',
    'mount --rbind /dev "$0/dev"',
    'mount --options remount,bind,ro "$0"',
    'exec "$@"',
  ].join('\n');

export function chrooted({ image, root, mounts }: ContainerOptions): Container {
  const inside = (command: readonly string[]) => [
    ...['--mount', 'sh', '-c', script(mounts), root],
    ...['setpriv', '--no-new-privs', 'env', '--ignore-environment', ...image.Env],
    ...['/usr/sbin/chroot', `--userspec=${image.User}`, '--groups=', root, ...command],
  ];
  const child = spawn('unshare', inside([...image.Entrypoint, ...image.Cmd]), {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return {
    stdout: child.stdout,
    exited: once(child, 'exit').then(([code]) => code),
    health: () => {
      const ran = spawnSync('unshare', inside(healthCommand(image)), { encoding: 'utf8' });
      return { code: ran.status, line: `${ran.stdout}${ran.stderr}`.trim() };
    },
    stop: () => void child.kill(image.StopSignal as NodeJS.Signals),
    kill: () => void child.kill('SIGKILL'),
  };
}
