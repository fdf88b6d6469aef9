/** The address of an upstream endpoint: `http://` or `https://` with host and port, or a Unix socket. */
import { isIP } from 'node:net';
import { isAbsolute } from 'node:path';
import { formatAddress, parseAddress } from '../../source/address.ts';
import { formatted } from './field-types.ts';

interface EndpointUrl {
  /** As in the configuration. */
  readonly url: string;
  readonly secure: boolean;
  readonly target: { readonly host: string; readonly port: number } | { readonly path: string };
  /** As in the configuration. It becomes the Host of an HTTP/1.0 request without one. */
  readonly authority: string;
}

export const endpointUrlAllowed =
  'http://host, http://host:port, the same with https, without path, query and credentials, or unix:/path of a socket (the path at most 103 bytes)';

export const endpointUrl = formatted({
  allowed: endpointUrlAllowed,
  pattern: /^(?:https?:\/\/[^\s/?#@]+|unix:\/.+)$/,
  parse: (text): EndpointUrl | undefined => (text.startsWith('unix:') ? parseSocket(text) : parseUrl(text)),
});

/** Equal for all notations of one endpoint: upper case, default port, forms of an address. */
export function keyOf({ secure, target }: EndpointUrl): string {
  if ('path' in target) return `unix:${target.path}`;
  const address = parseAddress(target.host);
  const host = address === null ? target.host.toLowerCase() : formatAddress(address);
  return `${secure ? 'https' : 'http'} ${host} ${target.port}`;
}

/** A name that TLS may send and verify (RFC 6066 §3). */
export const serverName = formatted({
  allowed: 'a host name, no address',
  parse: (text) => (isIP(text) === 0 && isHostname(text) ? text : undefined),
});

function parseSocket(text: string): EndpointUrl | undefined {
  const path = text.slice('unix:'.length);
  // sun_path has 108 bytes including its terminating zero on Linux, 104 on other systems.
  if (!isAbsolute(path) || /\p{Cc}/u.test(path) || Buffer.byteLength(path) > 103) return undefined;
  return { url: text, secure: false, target: { path }, authority: 'localhost' };
}

function parseUrl(text: string): EndpointUrl | undefined {
  const [, scheme, authority, host, written] =
    /^(https?):\/\/(([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([1-9]\d{0,4}))?)$/.exec(text) ?? [];
  if (authority === undefined || host === undefined) return undefined;
  const secure = scheme === 'https';
  const port = Number(written ?? (secure ? 443 : 80));
  const bare = host.replace(/^\[|\]$/g, '');
  if (port > 65_535 || (bare === host ? !isHostname(host) : isIP(bare) !== 6)) return undefined;
  return { url: text, secure, target: { host: bare, port }, authority };
}

/** Resolvers take a name that ends in a number for an IPv4 address in one of many notations: only the dotted one is allowed. */
function isHostname(host: string): boolean {
  if (isIP(host) === 4) return true;
  const labels = host.replace(/\.$/, '').split('.');
  return (
    host.length <= 253 &&
    labels.every((label) => /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label)) &&
    !/^(?:\d+|0[xX][0-9A-Fa-f]*)$/.test(labels.at(-1) ?? '')
  );
}
