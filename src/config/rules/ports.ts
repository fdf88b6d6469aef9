/** The rule of the two ports: `listen` and `admin` need different ports, or different addresses. */
import { parseAddress } from '../../source/address.ts';
import type { Diagnostics } from '../diagnostic.ts';
import type { Fields } from '../yaml-values.ts';

/** The defaults of the schema, for fields that the YAML does not have. */
const defaults = { listen: ['0.0.0.0', 8443], admin: ['127.0.0.1', 9090] } as const;

/** Values that are not valid are skipped: the schema reports them. */
export function checkPorts(
  { listen, admin }: { readonly listen: Fields; readonly admin: Fields },
  { problems }: Diagnostics,
): void {
  const [listenAddress, listenPort] = socketOf(listen, defaults.listen);
  const [adminAddress, adminPort] = socketOf(admin, defaults.admin);
  // 0: each gets another free port.
  if (adminPort !== listenPort || adminPort === 0) return;
  if (!overlap(listenAddress, adminAddress)) return;
  problems.push({
    path: 'port' in admin ? ['admin', 'port'] : ['listen', 'port'],
    found: `the port ${String(adminPort)} for both listen and admin`,
    allowed: 'two ports, or the same one on two addresses of this machine',
  });
}

function socketOf(
  { address, port }: Fields,
  [defaultAddress, defaultPort]: readonly [string, number],
): readonly [address: unknown, port: unknown] {
  return [address ?? defaultAddress, port ?? defaultPort];
}

/** Whether the same port cannot be bound on both addresses: they are equal, or one is unspecified. `::` includes IPv4. */
function overlap(one: unknown, other: unknown): boolean {
  if (typeof one !== 'string' || typeof other !== 'string') return false;
  const [first, second] = [parseAddress(one), parseAddress(other)];
  if (first === null || second === null) return false;
  if (first.family === second.family && first.value === second.value) return true;
  return [first, second].some(
    ({ family, value }, index) =>
      (family === 6 && value === 0n) ||
      (family === 4 && value === 0 && [first, second][1 - index]?.family === 4),
  );
}
