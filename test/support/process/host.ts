/** The internal host of a test: records received bytes, and answers as configured. */
import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { type Message, takeHead, takeMessage } from '../http/http.ts';
import { type Listening, listenOnLoopback } from './listening.ts';

export interface HostOptions {
  /** Bytes to answer a complete request with; null if the function answers itself, or never. Default: an acknowledgement. */
  answer?: (request: Message, socket: Socket) => string | Buffer | null;
  /** Called when a head is complete and its body may not be: for early responses. */
  onHead?: (head: Message, socket: Socket) => void;
  /** Called for every connection before anything is read. */
  onConnection?: (socket: Socket) => void;
}

/** Address and transport of a host. */
export interface HostPlace {
  /** A port, by default any free one, or the path of a Unix socket. */
  readonly at?: number | string;
  /** Address to listen on; default: 127.0.0.1. */
  readonly address?: string;
  /** Speaks TLS. */
  readonly tls?: TlsOptions;
}

export interface Host extends Listening {
  /** `http://127.0.0.1:<port>`, `https://127.0.0.1:<port>` or `unix:<path>` */
  readonly url: string;
  /** Complete requests, in the order of their completion. */
  readonly requests: Message[];
  /** All bytes of each connection, in the order of connecting. */
  received(connection: number): Buffer;
  readonly connectionCount: number;
  /** May be changed at any time. */
  readonly options: HostOptions;
  /** Resolves with the request with that index once it is complete. */
  request(index: number): Promise<Message>;
  /** The TCP socket under the TLS connection: it can end without close_notify. */
  transportOf(socket: Socket): Socket;
}

export const acknowledgement = response({ body: '{"Acknowledgement":"1","Responsestatus":"00"}' });

/** Bytes of a response with Content-Length. */
export function response(options: { status?: string; fields?: string[]; body?: string | Buffer }): Buffer {
  const { status = '200 OK', fields = ['Content-Type: application/json'], body = '' } = options;
  const lines = [`HTTP/1.1 ${status}`, ...fields, `Content-Length: ${Buffer.byteLength(body)}`, '', ''];
  return Buffer.concat([Buffer.from(lines.join('\r\n'), 'latin1'), Buffer.from(body)]);
}

export async function openHost(options: HostOptions = {}, place: HostPlace = {}): Promise<Host> {
  const requests: Message[] = [];
  const received: Buffer[][] = [];
  const waiting: { index: number; resolve: (request: Message) => void }[] = [];
  const complete = (request: Message, socket: Socket) => {
    requests.push(request);
    for (const { resolve } of waiting.filter(({ index }) => index === requests.length - 1)) resolve(request);
    const answer = (options.answer ?? (() => acknowledgement))(request, socket);
    if (answer !== null && socket.writable) socket.write(answer);
  };
  const serve = (socket: Socket) => {
    const bytes: Buffer[] = [];
    received.push(bytes);
    let pending = Buffer.alloc(0);
    let headSeen = false;
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      bytes.push(chunk);
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        const head = headSeen ? null : takeHead(pending);
        if (head !== null) {
          headSeen = true;
          options.onHead?.(head, socket);
        }
        const request = takeMessage(pending);
        if (request === null) return;
        headSeen = false;
        pending = pending.subarray(request.raw.length);
        complete(request, socket);
      }
    });
    options.onConnection?.(socket);
  };
  const { at, address = '127.0.0.1', tls } = place;
  const server =
    tls === undefined
      ? createServer({ allowHalfOpen: true, noDelay: true }, serve)
      : createTlsServer({ allowHalfOpen: true, noDelay: true, ...tls }, serve);
  const transports = new Map<number | undefined, Socket>();
  server.on('connection', (transport: Socket) => transports.set(transport.remotePort, transport));
  const listening = await listenOnLoopback(server, at, address);
  return {
    ...listening,
    url: typeof at === 'string' ? `unix:${at}` : `http${tls ? 's' : ''}://${address}:${listening.port}`,
    requests,
    options,
    received: (connection) => Buffer.concat(received[connection] ?? []),
    get connectionCount() {
      return received.length;
    },
    request: (index) =>
      new Promise((resolve) => {
        const known = requests[index];
        if (known === undefined) waiting.push({ index, resolve });
        else resolve(known);
      }),
    transportOf: (socket) => transports.get(socket.remotePort) ?? socket,
  };
}
