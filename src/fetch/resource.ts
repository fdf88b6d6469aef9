/** Fetches one resource over HTTP or HTTPS, through the environment's proxy, within limits of time, size and redirection: the only way out for trust data. */
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type FetchCode, GatewayError } from '../errors.ts';
import { collectYoungGarbage } from './garbage.ts';
import { proxyFor, routeOf } from './proxy.ts';
import { TunnelAgent } from './tunnel.ts';

/** What lets a server answer 304 (RFC 9110 §8.8). */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

export interface FetchedResource {
  readonly status: 'fetched';
  readonly bytes: Buffer;
  readonly validators: Validators;
  /** The media type, lower case and without parameters; empty where the server states none. */
  readonly type: string;
}

export type Fetched = FetchedResource | { readonly status: 'unchanged' };

export interface ResourceOptions {
  /** What the error codes begin with. */
  readonly purpose: 'TRUST' | 'CRL' | 'OCSP';
  readonly url: string;
  /** Default http and https: CRLs and OCSP answers are signed, trust anchors are not. */
  readonly schemes?: readonly ('http' | 'https')[];
  /** Present: a POST (and no conditional one). */
  readonly post?: { readonly type: string; readonly body: Uint8Array };
  readonly accept?: string;
  /** PEM of the CAs to verify an HTTPS server with, instead of Node's own. */
  readonly ca?: Buffer | undefined;
  readonly validators?: Validators | undefined;
  readonly maxBytes: number;
  /** How many redirects to follow, and those only to the same host and port, never from https to http; default 0. */
  readonly redirects?: number;
  /** Milliseconds for everything, redirects included, from the name look-up to the last byte. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Throws GatewayError, the purpose before its code: `_URL_REFUSED`, `_FETCH_FAILED`, `_FETCH_TIMEOUT`, `_FETCH_STATUS`,
 * `_FETCH_REDIRECT`, `_FETCH_ENCODING` or `_FETCH_TOO_LARGE`, as in `CRL_FETCH_TIMEOUT`.
 */
export async function fetchResource(options: ResourceOptions): Promise<Fetched> {
  const { timeout, redirects = 0 } = options;
  const deadline = AbortSignal.timeout(timeout);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  let url = acceptable(options);
  try {
    for (let left = redirects; ; left -= 1) {
      const response = await open(url, { ...options, signal });
      try {
        if (redirects === 0 || !isRedirect(response, options)) return await read(response, options);
        url = follow(response, { url, left, options });
      } finally {
        response.destroy();
      }
    }
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    if (deadline.aborted) throw failure(options, 'FETCH_TIMEOUT', `no answer within ${timeout} ms`, cause);
    throw failure(options, 'FETCH_FAILED', describe(cause), cause);
  }
}

/** `http://host/path` → URL; credentials in a URL would be sent, and logged with it. */
function acceptable(options: ResourceOptions): URL {
  const { schemes = ['http', 'https'] } = options;
  const url = URL.parse(options.url);
  if (
    url === null ||
    !schemes.some((scheme) => url.protocol === `${scheme}:`) ||
    url.username !== '' ||
    url.password !== ''
  ) {
    const allowed = schemes.join(' and ');
    throw failure(options, 'URL_REFUSED', `only ${allowed} URLs without credentials are fetched`);
  }
  return url;
}

function open(
  url: URL,
  options: ResourceOptions & { readonly signal: AbortSignal },
): Promise<IncomingMessage> {
  const { post, accept = '*/*', ca, validators, signal } = options;
  const headers: Record<string, string | number> = { accept, 'accept-encoding': 'identity' };
  if (validators?.etag !== undefined) headers['if-none-match'] = validators.etag;
  if (validators?.lastModified !== undefined) headers['if-modified-since'] = validators.lastModified;
  if (post !== undefined) {
    headers['content-type'] = post.type;
    headers['content-length'] = post.body.length;
  }
  const common = { method: post === undefined ? 'GET' : 'POST', headers, signal, agent: false } as const;
  return new Promise((resolve, reject) => {
    const request = begin(url, { ...common, ca });
    request.on('response', resolve).on('error', reject).end(post?.body);
  });
}

interface RequestOptions {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string | number>>;
  readonly signal: AbortSignal;
  readonly agent: false;
  readonly ca: Buffer | undefined;
}

/** Each has a connection of its own, through the proxy that the environment names for the URL. */
function begin(url: URL, { ca, headers, ...options }: RequestOptions): ClientRequest {
  const proxy = proxyFor(url);
  const route = routeOf(url, proxy);
  const common = { ...options, ...route.options, headers: { ...headers, ...route.headers } };
  if (url.protocol === 'http:')
    return (route.url.protocol === 'http:' ? requestHttp : requestHttps)(route.url, common);
  return requestHttps(url, {
    ...common,
    ...(proxy === null ? {} : { agent: new TunnelAgent({ proxy, signal: () => options.signal }) }),
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
  });
}

/** A POST is repeated only where its method must stay (RFC 9110 §15.4). */
function isRedirect({ statusCode = 0 }: IncomingMessage, { post }: ResourceOptions): boolean {
  return (post === undefined ? [301, 302, 303, 307, 308] : [307, 308]).includes(statusCode);
}

function follow(
  response: IncomingMessage,
  { url, left, options }: { url: URL; left: number; options: ResourceOptions },
): URL {
  const refuse = (message: string) => failure(options, 'FETCH_REDIRECT', message);
  if (left === 0) throw refuse(`more than ${options.redirects} redirects`);
  const next = URL.parse(response.headers.location ?? '', url);
  if (next === null || response.headers.location === undefined) throw refuse('redirected to no address');
  if (next.host !== url.host || (url.protocol === 'https:' && next.protocol !== 'https:')) {
    throw refuse(`redirected elsewhere, to ${next.protocol}//${next.host}`);
  }
  return acceptable({ ...options, url: next.href });
}

async function read(response: IncomingMessage, options: ResourceOptions): Promise<Fetched> {
  const { statusCode, headers } = response;
  if (statusCode === 304 && options.validators !== undefined) return { status: 'unchanged' };
  if (statusCode !== 200) throw failure(options, 'FETCH_STATUS', `the server answered ${statusCode}`);
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  // RFC 9110 §12.5.3: another coding than the one that was asked for. Some servers send it all the same.
  if (encoding !== 'identity' && encoding !== '')
    throw failure(
      options,
      'FETCH_ENCODING',
      `the server sent it as Content-Encoding: ${plainWord(encoding)}`,
    );
  return {
    status: 'fetched',
    bytes: await collect(response, options),
    validators: {
      ...(headers.etag === undefined ? {} : { etag: headers.etag }),
      ...(headers['last-modified'] === undefined ? {} : { lastModified: headers['last-modified'] }),
    },
    type: (headers['content-type'] ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '',
  };
}

/** What a server says goes into messages as far as it is a token (RFC 9110 §5.6.2), and short. */
function plainWord(value: string): string {
  return /^[\w.+-]{1,32}$/.test(value) ? value : 'something else';
}

/** A body of 50 MB leaves as much garbage behind in buffers of 64 KiB, and malloc would keep most of it. */
const garbageStep = 4 * 1024 * 1024;

/** Into memory of the stated length, or into some that grows in its place: a large body is never held twice. */
async function collect(response: IncomingMessage, options: ResourceOptions): Promise<Buffer> {
  const { maxBytes } = options;
  const tooLarge = () => failure(options, 'FETCH_TOO_LARGE', `more than ${maxBytes} bytes`);
  const stated = Number(response.headers['content-length'] ?? 0);
  if (stated > maxBytes) throw tooLarge();
  const isStated = stated > 0;
  const memory = isStated ? new ArrayBuffer(stated) : new ArrayBuffer(0, { maxByteLength: maxBytes });
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    const end = size + chunk.length;
    if (end > maxBytes) throw tooLarge();
    // Node gives no more than was stated.
    if (end > memory.byteLength) memory.resize(Math.min(maxBytes, Math.max(end, 2 * memory.byteLength)));
    new Uint8Array(memory).set(chunk, size);
    if (Math.floor(end / garbageStep) > Math.floor(size / garbageStep)) collectYoungGarbage();
    size = end;
  }
  return Buffer.from(isStated ? memory : memory.transferToFixedLength(size));
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if ('code' in cause && cause.code === 'PROXY_TUNNEL') return cause.message;
  // OpenSSL's own message ends with a line break and names a line of its source.
  const [, reason] = /:error:[0-9A-F]+:[^:]*:[^:]*:([^:]+):/.exec(cause.message) ?? [];
  const message = reason ?? cause.message;
  return 'code' in cause ? `${cause.code}: ${message}` : message;
}

function failure({ purpose, url }: ResourceOptions, code: FetchCode, message: string, cause?: unknown) {
  return new GatewayError({
    code: `${purpose}_${code}`,
    message: `${url}: ${message}${throughProxy(url)}`,
    cause,
  });
}

/** Who has answered, or has not, may be the proxy. */
function throughProxy(url: string): string {
  const target = URL.parse(url);
  const proxy = target && proxyFor(target);
  return proxy === null ? '' : ` (through the proxy ${proxy.name})`;
}
