/** The admin port: metrics, liveness, readiness, upstream endpoints; plain HTTP, on an address that clients do not reach. */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { GatewayError } from '../errors.ts';
import { AdminConnections } from './connections.ts';
import { OneRequest } from './one-request.ts';
import { SharedText, type Text } from './shared-text.ts';

/** An unread answer holds a few KiB here, for the text of the metrics is shared, and its length again in the kernel. */
const maxConnections = 256;
/** Prometheus gives a scrape up after 10 s too. */
const connectionTimeMs = 10_000;
const metricsEveryMs = 1_000;
const maxHeaderBytes = 8 * 1024;

export interface AdminOptions {
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  readonly metrics: () => Promise<{ readonly body: string; readonly contentType: string }>;
  /** Whether messages would be relayed now, and what is missing. */
  readonly ready: () => { readonly ready: boolean; readonly reasons: readonly string[] };
  /** How each upstream endpoint stands. */
  readonly upstreams: () => readonly object[];
}

export interface AdminServer {
  readonly address: string;
  readonly port: number;
  /** Settles when the port is free and no connection is left. */
  close(): Promise<void>;
}

/** @throws GatewayError `ADDRESS_IN_USE`, or `ADMIN_LISTEN` for any other refusal by the system. */
export async function openAdmin(options: AdminOptions): Promise<AdminServer> {
  const connections = new AdminConnections({ count: maxConnections, time: connectionTimeMs });
  const metrics = new SharedText({ make: options.metrics, everyMs: metricsEveryMs });
  const sources: Sources = { ...options, metrics: () => metrics.read() };
  const http = createHttpServer(
    { maxHeaderSize: maxHeaderBytes },
    (request, response) => void answer(sources, request, response),
  );
  // It answers when the client has closed its half, too.
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    connections.add(socket);
    http.emit('connection', new OneRequest(socket, { maxHead: maxHeaderBytes }));
  });
  await listen(server, options);
  // Accepting goes on after an error, as of a lack of descriptors; without a listener the second would end the process.
  server.on('error', () => {});
  const { address, port } = server.address() as AddressInfo;
  return {
    address,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        connections.close();
      }),
  };
}

interface Sources extends Pick<AdminOptions, 'ready' | 'upstreams'> {
  readonly metrics: () => Promise<Text>;
}

/** The URL is compared and never repeated: it may hold anything. */
async function answer(sources: Sources, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url?.split('?', 1)[0];
  const page = pages.get(path ?? '');
  if (page === undefined) return send(request, response, plain(404, 'not found'));
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    return send(request, response, plain(405, 'method not allowed'));
  }
  send(request, response, await page(sources).catch(() => plain(500, 'internal error')));
}

interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | Buffer;
}

const pages = new Map<string, (sources: Sources) => Promise<Page>>([
  ['/metrics', async ({ metrics }) => ({ status: 200, ...(await metrics()) })],
  ['/healthz', async () => plain(200, 'ok')],
  [
    '/readyz',
    async (sources) => {
      const { ready, reasons } = sources.ready();
      return json(ready ? 200 : 503, { ready, reasons });
    },
  ],
  ['/upstreams', async ({ upstreams }) => json(200, { endpoints: upstreams() })],
]);

function plain(status: number, text: string): Page {
  return { status, contentType: 'text/plain; charset=utf-8', body: `${text}\n` };
}

function json(status: number, value: object): Page {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value)}\n` };
}

function send(request: IncomingMessage, response: ServerResponse, page: Page): void {
  response.writeHead(page.status, {
    'Content-Type': page.contentType,
    'Content-Length': Buffer.byteLength(page.body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    // One request for each connection: nothing can queue up behind an answer that is not read.
    Connection: 'close',
  });
  response.end(request.method === 'HEAD' ? undefined : page.body);
}

function listen(server: Server, { address, port }: AdminOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE';
      const code = taken ? 'ADDRESS_IN_USE' : 'ADMIN_LISTEN';
      const says = taken ? 'is in use' : `cannot be listened on (${cause.code})`;
      const message = `the admin address ${address}:${port} ${says}`;
      reject(new GatewayError({ code, message, cause }));
    });
    server.listen({ host: address, port }, resolve);
  });
}
