/** Fetches one trust anchor, CRL or OCSP response over HTTP or HTTPS, with limits on time, size and redirects. */
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type FetchCode, GatewayError } from '../errors.ts';
import { proxyFor, routeOf } from './egress-proxy.ts';
import { TunnelAgent } from './tunnel.ts';
import { collectYoungGarbage } from './young-heap.ts';

/** Sent with the next request, so that the server can answer 304 Not Modified (RFC 9110 §8.8). */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

export interface FetchedResource {
  readonly status: 'fetched';
  readonly bytes: Buffer;
  readonly validators: Validators;
  /** Media type in lower case, without parameters; empty if the response has no Content-Type. */
  readonly type: string;
}

export type Fetched = FetchedResource | { readonly status: 'unchanged' };

export interface ResourceOptions {
  /** Prefix of the error codes. */
  readonly purpose: 'TRUST' | 'CRL' | 'OCSP' | 'KEYS';
  readonly url: string;
  /** Allowed schemes; default both. CRLs and OCSP responses are signed and may come over http; trust anchors may not. */
  readonly schemes?: readonly ('http' | 'https')[];
  /** If present, the request is a POST; `validators` must be absent then. */
  readonly post?: { readonly type: string; readonly body: Uint8Array };
  readonly accept?: string;
  /** PEM of the CAs that verify an HTTPS server, instead of Node's bundled CAs. */
  readonly ca?: Buffer | undefined;
  readonly validators?: Validators | undefined;
  readonly maxBytes: number;
  /** Maximum number of redirects, followed only to the same host and port and never from https to http; default 0. */
  readonly redirects?: number;
  /** Milliseconds from the DNS look-up to the last byte, redirects included. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Uses the proxy that the environment names (egress-proxy.ts). Throws GatewayError with the code `<purpose>_URL_REFUSED`,
 * `_FETCH_FAILED`, `_FETCH_TIMEOUT`, `_FETCH_STATUS`, `_FETCH_REDIRECT`, `_FETCH_ENCODING` or `_FETCH_TOO_LARGE`, as in
 * `CRL_FETCH_TIMEOUT`.
 */
export async function fetchResource(options: ResourceOptions): Promise<Fetched> {
  const { timeout, redirects = 0 } = options;
  const deadline = AbortSignal.timeout(timeout);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  let url = allowedUrl(options);
  try {
    for (let left = redirects; ; left -= 1) {
      const response = await open(url, { ...options, signal });
      try {
        if (redirects === 0 || !isRedirect(response, options)) return await read(response, options);
        url = redirectTarget(response, { url, left, options });
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

/** Refuses URLs with credentials: they would appear in the log. */
function allowedUrl(options: ResourceOptions): URL {
  const { schemes = ['http', 'https'] } = options;
  const url = URL.parse(options.url);
  if (
    url === null ||
    !schemes.some((scheme) => url.protocol === `${scheme}:`) ||
    url.username !== '' ||
    url.password !== ''
  ) {
    const allowed = schemes.join(' and ');
    throw failure(options, 'URL_REFUSED', `only ${allowed} URLs without credentials are allowed`);
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
    const request = startRequest(url, { ...common, ca });
    // After a 101 (Switching Protocols) Node closes the request with neither a response nor an error.
    request.on('close', () => reject(new Error('the server closed the connection without a response')));
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

/** Every request uses a new connection, through the proxy for the URL if there is one. */
function startRequest(url: URL, { ca, headers, ...options }: RequestOptions): ClientRequest {
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

/** For a POST only 307 and 308, which keep the method (RFC 9110 §15.4). */
function isRedirect({ statusCode = 0 }: IncomingMessage, { post }: ResourceOptions): boolean {
  return (post === undefined ? [301, 302, 303, 307, 308] : [307, 308]).includes(statusCode);
}

function redirectTarget(
  response: IncomingMessage,
  { url, left, options }: { url: URL; left: number; options: ResourceOptions },
): URL {
  const refuse = (message: string) => failure(options, 'FETCH_REDIRECT', message);
  if (left === 0) throw refuse(`more than ${options.redirects} redirects`);
  const next = URL.parse(response.headers.location ?? '', url);
  if (next === null || response.headers.location === undefined)
    throw refuse('redirected without a valid Location');
  if (next.host !== url.host || (url.protocol === 'https:' && next.protocol !== 'https:')) {
    throw refuse(`redirected to another server, ${next.protocol}//${next.host}`);
  }
  return allowedUrl({ ...options, url: next.href });
}

async function read(response: IncomingMessage, options: ResourceOptions): Promise<Fetched> {
  const { statusCode, headers } = response;
  if (statusCode === 304 && options.validators !== undefined) return { status: 'unchanged' };
  if (statusCode !== 200) throw failure(options, 'FETCH_STATUS', `the server answered ${statusCode}`);
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  // Some servers ignore the Accept-Encoding of the request (RFC 9110 §12.5.3).
  if (encoding !== 'identity' && encoding !== '')
    throw failure(
      options,
      'FETCH_ENCODING',
      `the response has Content-Encoding ${loggableToken(encoding)}, which is not supported`,
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

/** Only a short token (RFC 9110 §5.6.2) of the server's text is repeated in a message. */
function loggableToken(value: string): string {
  return /^[\w.+-]{1,32}$/.test(value) ? value : '(not a token)';
}

/** Collect after this many bytes: a body of 50 MB leaves 50 MB of garbage in 64 KiB buffers, most of which malloc keeps. */
const garbageStep = 4 * 1024 * 1024;

/** Reads into a buffer of the stated length, or into one that grows in place, so that a large body is never held twice. */
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
    // Never true if a length was stated: Node delivers at most that many bytes.
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
  // Only the reason of an OpenSSL error, without its source file and line.
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

/** Names the proxy in an error message: the failure may be the proxy's. */
function throughProxy(url: string): string {
  const target = URL.parse(url);
  const proxy = target && proxyFor(target);
  return proxy === null ? '' : ` (through the proxy ${proxy.name})`;
}
