/** The admin port: page, status, metrics, liveness, readiness. Plain HTTP, on an address that clients cannot reach. */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { GatewayError } from '../errors.ts';
import { safeJson } from '../foreign-text.ts';
import { AdminConnections } from './connections.ts';
import { isAcceptedHost, isForBrowsers } from './host-check.ts';
import { OneRequest } from './one-request.ts';
import { findPage, type PageResponse, type PageSources, plain } from './paths.ts';
import { SharedText } from './rate-limited-text.ts';
import { securityHeaders } from './response-headers.ts';
import type { Status } from './status-schema.ts';

/** An unread response costs a few KiB, because long texts are shared, and its length again in the kernel. */
const maxConnections = 256;
/** Prometheus' default scrape timeout is 10 s too. */
const connectionTimeMs = 10_000;
/** Of the texts that cost time to make. */
const makeEveryMs = 1_000;
const maxHeaderBytes = 8 * 1024;

export interface AdminOptions {
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  /** Names that the Host header of a browser may have, besides addresses and localhost: lower case. */
  readonly hosts: () => readonly string[];
  readonly metrics: () => Promise<{ readonly body: string; readonly contentType: string }>;
  /** Whether messages are relayed now, and if not, why. */
  readonly ready: () => { readonly ready: boolean; readonly reasons: readonly string[] };
  /** The state of each upstream endpoint. */
  readonly upstreams: () => readonly object[];
  /** Called at most once a second, and only when it is requested. */
  readonly status: () => Status;
}

export interface AdminServer {
  readonly address: string;
  readonly port: number;
  /** The URL of the page, for this machine if the port is open on every address. */
  readonly page: string;
  /** Settles when the port is free and every connection is closed. */
  close(): Promise<void>;
}

/** @throws GatewayError `ADDRESS_IN_USE`, or `ADMIN_LISTEN` for any other error of the system. */
export async function openAdmin(options: AdminOptions): Promise<AdminServer> {
  const connections = new AdminConnections({ count: maxConnections, time: connectionTimeMs });
  const { hosts, ready, upstreams } = options;
  const metrics = new SharedText({ make: options.metrics, everyMs: makeEveryMs });
  const status = new SharedText({
    make: async () => ({ body: `${safeJson(options.status())}\n`, contentType: 'application/json' }),
    everyMs: makeEveryMs,
  });
  const sources = { ready, upstreams, metrics: () => metrics.read(), status: () => status.read() };
  const http = createHttpServer(
    { maxHeaderSize: maxHeaderBytes },
    (request, response) => void answer({ sources, hosts }, request, response),
  );
  // Half-open connections are allowed, so that a client that half-closes after its request gets the response.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.add(socket);
    http.emit('connection', new OneRequest(socket, { maxHead: maxHeaderBytes }));
  });
  await listen(server, options);
  // Accepting continues after an error, such as a lack of descriptors. Without a listener the error would end the process.
  server.on('error', () => {});
  const { address, port } = server.address() as AddressInfo;
  return {
    address,
    port,
    page: urlOf(address, port),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        connections.close();
      }),
  };
}

function urlOf(address: string, port: number): string {
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[address] ?? address;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}/`;
}

/** The URL is compared and never echoed: it may contain anything. So may the Host header. */
async function answer(
  { sources, hosts }: { readonly sources: PageSources; readonly hosts: () => readonly string[] },
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url?.split('?', 1)[0] ?? '';
  if (isForBrowsers(path) && !isAcceptedHost(request.headersDistinct.host ?? [], hosts()))
    return send(request, response, hostRefused);
  const page = findPage(path);
  if (page === undefined) return send(request, response, notFound);
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return send(request, response, plain(405, 'method not allowed'));
  }
  const found = await page(sources).catch(() => plain(500, 'internal error'));
  send(request, response, found ?? notFound);
}

const notFound = plain(404, 'not found');

/** RFC 9110 §15.5.20. */
const hostRefused = plain(
  421,
  'this host name is not accepted here: use an IP address, localhost, or a name listed in admin.hosts of the configuration',
);

function send(request: IncomingMessage, response: ServerResponse, page: PageResponse): void {
  response.writeHead(page.status, {
    'Content-Type': page.contentType,
    'Content-Length': Buffer.byteLength(page.body),
    ...securityHeaders,
    // One request per connection: nothing can queue behind a response that is not read.
    Connection: 'close',
  });
  response.end(request.method === 'HEAD' ? undefined : page.body);
}

function listen(server: Server, { address, port }: AdminOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE';
      const code = taken ? 'ADDRESS_IN_USE' : 'ADMIN_LISTEN';
      const problem = taken ? 'it is in use' : `${cause.code}`;
      const message = `cannot listen on the admin address ${address}:${port}: ${problem}`;
      reject(new GatewayError({ code, message, cause }));
    });
    server.listen({ host: address, port }, resolve);
  });
}
