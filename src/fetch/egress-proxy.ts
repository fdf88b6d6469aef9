/** The HTTP proxy for outgoing requests, from HTTP_PROXY, HTTPS_PROXY and NO_PROXY as curl and others read them. */
import { BlockList, isIP } from 'node:net';

type Environment = Readonly<Record<string, string | undefined>>;

export interface HttpProxy {
  /** `http://host:port` for messages; the credentials of the URL are left out. */
  readonly name: string;
  /** The same, as the URL to connect to. */
  readonly url: URL;
  /** Header field for the proxy only; empty if the proxy URL has no credentials. */
  readonly authorization: { readonly 'proxy-authorization'?: string };
}

const variables = { 'http:': 'HTTP_PROXY', 'https:': 'HTTPS_PROXY' } as const;
type Variable = (typeof variables)[keyof typeof variables];

/** The proxy for a URL; null: connect directly. Loopback addresses never use a proxy: it could not reach them. */
export function proxyFor(
  { protocol, hostname, port }: URL,
  environment: Environment = process.env,
): HttpProxy | null {
  const variable = variables[protocol as keyof typeof variables];
  if (variable === undefined) return null;
  const url = proxyUrl(variable, environment);
  const host = hostname
    .replace(/^\[(.*)\]$/, '$1')
    .replace(/\.$/, '')
    .toLowerCase();
  if (url === null || isLoopback(host)) return null;
  const exempt = entriesOf(settingOf('NO_PROXY', environment));
  const target = { host, port: port === '' ? defaultPorts[variable] : port };
  if (exempt.some((entry) => covers(entry, target))) return null;
  return { name: url.origin, url: new URL(url.origin), authorization: authorizationOf(url) };
}

/** Where to send a request. An `https` request goes to its own host, through a tunnel if there is a proxy (tunnel.ts). */
export interface Route {
  readonly url: URL;
  /** Overrides the path of the URL. */
  readonly options: { readonly path?: string };
  /** Overrides `Host`, and authenticates to the proxy. */
  readonly headers: Readonly<Record<string, string>>;
}

export function routeOf(url: URL, proxy: HttpProxy | null): Route {
  if (proxy === null || url.protocol !== 'http:') return { url, options: {}, headers: {} };
  // RFC 9112 §3.2.2: a request to a proxy has the absolute URL as its target.
  const headers = { ...proxy.authorization, host: url.host };
  return { url: proxy.url, options: { path: url.href }, headers };
}

/** Basic (RFC 7617 §2). */
function authorizationOf({ username, password }: URL): HttpProxy['authorization'] {
  if (username === '' && password === '') return {};
  const credentials = Buffer.from(`${decode(username)}:${decode(password)}`).toString('base64');
  return { 'proxy-authorization': `Basic ${credentials}` };
}

/** Text that is not valid percent-encoding is taken literally. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const defaultPorts: Record<Variable, string> = { HTTP_PROXY: '80', HTTPS_PROXY: '443' };

/** The proxies set in the environment, without credentials: `{ HTTPS_PROXY: 'http://proxy:3128' }`. */
export function namedProxies(environment: Environment = process.env): Partial<Record<Variable, string>> {
  const named = Object.values(variables).flatMap((variable) => {
    const url = proxyUrl(variable, environment);
    return url === null ? [] : [[variable, url.origin]];
  });
  return Object.fromEntries(named);
}

/** Variables that are set but hold no usable proxy URL; they are ignored, and requests go out directly. */
export function unusableProxies(environment: Environment = process.env): Variable[] {
  return Object.values(variables).filter(
    (variable) => settingOf(variable, environment) !== '' && proxyUrl(variable, environment) === null,
  );
}

/** `host:port` without a scheme is an HTTP proxy, as for curl. null: not set, or not usable. */
function proxyUrl(variable: Variable, environment: Environment): URL | null {
  const written = settingOf(variable, environment);
  if (written === '') return null;
  const url = URL.parse(written.includes('://') ? written : `http://${written}`);
  return url !== null && ['http:', 'https:'].includes(url.protocol) && url.hostname !== '' ? url : null;
}

/** The lower-case variable takes precedence, as for curl. */
function settingOf(variable: Variable | 'NO_PROXY', environment: Environment): string {
  return (environment[variable.toLowerCase()] || environment[variable] || '').trim();
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '::1' || /^127\.[\d.]+$/.test(host);
}

function entriesOf(noProxy: string): string[] {
  return noProxy
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((entry) => entry !== '');
}

interface Target {
  readonly host: string;
  readonly port: string;
}

/**
 * Whether a NO_PROXY entry matches: `*`, a domain and its subdomains (`corp`, `.corp`, `*.corp`), an IP address, or a
 * CIDR range. Domains and addresses may have a port.
 */
function covers(entry: string, { host, port }: Target): boolean {
  if (entry === '*') return true;
  if (entry.includes('/')) return isInRange(entry, host);
  const [, name = '', only] = /^\[?(.*?)\]?(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry) ?? [];
  if (only !== undefined && only !== port) return false;
  const suffix = name.replace(/^\*?\./, '');
  return suffix !== '' && (host === suffix || (isIP(host) === 0 && host.endsWith(`.${suffix}`)));
}

/** An invalid range matches nothing. */
function isInRange(range: string, host: string): boolean {
  const [network = '', prefix = ''] = range.split('/', 2);
  const family = isIP(host) === 6 ? 'ipv6' : 'ipv4';
  if (isIP(host) === 0 || isIP(network) !== isIP(host)) return false;
  try {
    const ranges = new BlockList();
    ranges.addSubnet(network, Number(prefix), family);
    return ranges.check(host, family);
  } catch {
    return false;
  }
}
