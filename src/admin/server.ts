/** The admin port: metrics, liveness, readiness, upstream endpoints. Plain HTTP, on an address that clients cannot reach. */
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { GatewayError } from '../errors.ts';
import { AdminConnections } from './connections.ts';
import { OneRequest } from './one-request.ts';
import { SharedText, type Text } from './shared-text.ts';

/** An unread response costs a few KiB, because the metrics text is shared, and its length again in the kernel. */
const maxConnections = 256;
/** Prometheus' default scrape timeout is 10 s too. */
const connectionTimeMs = 10_000;
const metricsEveryMs = 1_000;
const maxHeaderBytes = 8 * 1024;

export interface AdminOptions {
  readonly address: string;
  /** 0: any free port. */
  readonly port: number;
  readonly metrics: () => Promise<{ readonly body: string; readonly contentType: string }>;
  /** Whether messages are relayed now, and if not, why. */
  readonly ready: () => { readonly ready: boolean; readonly reasons: readonly string[] };
  /** The state of each upstream endpoint. */
  readonly upstreams: () => readonly object[];
}

export interface AdminServer {
  readonly address: string;
  readonly port: number;
  /** Settles when the port is free and every connection is closed. */
  close(): Promise<void>;
}

/** @throws GatewayError `ADDRESS_IN_USE`, or `ADMIN_LISTEN` for any other error of the system. */
export async function openAdmin(options: AdminOptions): Promise<AdminServer> {
  const connections = new AdminConnections({ count: maxConnections, time: connectionTimeMs });
  const metrics = new SharedText({ make: options.metrics, everyMs: metricsEveryMs });
  const sources: PageSources = { ...options, metrics: () => metrics.read() };
  const http = createHttpServer(
    { maxHeaderSize: maxHeaderBytes },
    (request, response) => void answer(sources, request, response),
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
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        connections.close();
      }),
  };
}

interface PageSources extends Pick<AdminOptions, 'ready' | 'upstreams'> {
  readonly metrics: () => Promise<Text>;
}

/** The URL is compared and never echoed: it may contain anything. */
async function answer(
  sources: PageSources,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
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

const pages = new Map<string, (sources: PageSources) => Promise<Page>>([
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
