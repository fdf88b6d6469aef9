/** Which paths require a Host header that is accepted, and which one is: protection against DNS rebinding. */
import { isIPv4, isIPv6 } from 'node:net';
import { isFile } from './paths.ts';

const hostPattern = /^(?:\[(?<v6>[0-9a-f:.]+)\]|(?<name>[a-z0-9._-]+))(?::\d{1,5})?$/;

/**
 * Whether the request's one Host header names an IP address, `localhost` or one of `names`, with any port. A page of
 * another site can make its own name resolve to this port, and then read it as its own origin: its Host header still has
 * that name. An address cannot be rebound. `values`: of each Host header. `names`: lower case, without a final dot.
 */
export function isAcceptedHost(values: readonly string[], names: readonly string[]): boolean {
  const [value, ...others] = values;
  if (value === undefined || others.length > 0) return false;
  const { v6, name } = hostPattern.exec(value.toLowerCase())?.groups ?? {};
  if (v6 !== undefined) return isIPv6(v6);
  if (name === undefined) return false;
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  return isIPv4(bare) || bare === 'localhost' || names.includes(bare);
}

/**
 * Whether the path is meant for browsers, and so requires an accepted Host header. The others are also requested by
 * Prometheus and Kubernetes, under any name that the network gives to this port.
 */
export function isForBrowsers(path: string): boolean {
  return isFile(path) || path.startsWith('/api/');
}
