/** A network namespace for a soak, so that its socket settings apply to no other process. */
import { spawnSync } from 'node:child_process';

const inside = 'EHI_SOAK_OWN_NETWORK';
/** Bytes that a socket keeps: minimum, default, maximum, as docs/operations.md advises. */
const buffers = { tcp_rmem: '4096 131072 131072', tcp_wmem: '4096 16384 131072' };
const settings = Object.entries(buffers).map(
  ([name, octets]) => `echo ${octets} > /proc/sys/net/ipv4/${name}`,
);
const prepare = ['ip link set lo up', ...settings, 'exec "$@"'].join(' && ');

/** Runs this process's command again in a new namespace; null if this process is that one. Needs root and iproute2. */
export function runInOwnNetwork(): { readonly success: boolean } | null {
  if (process.env[inside] !== undefined) return null;
  const { status, error } = spawnSync(
    'unshare',
    ['--net', 'sh', '-c', prepare, 'sh', process.execPath, ...process.argv.slice(1)],
    { stdio: 'inherit', env: { ...process.env, [inside]: '1' } },
  );
  if (error !== undefined) throw error;
  return { success: status === 0 };
}
