/** An HTTP proxy on loopback, which alone resolves some host names; it records requests. */
import { createServer, request as forward, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type Listening, listenOnLoopback } from './listening.ts';

export interface ForwardProxy extends Listening {
  /** The URL with credentials, which must not appear anywhere else. */
  readonly url: string;
  readonly name: string;
  /** `GET http://host/path`, `CONNECT host:port`. */
  readonly requests: readonly string[];
  /** If set, the status of every response. */
  refusal: number | null;
}

export const proxySecret = 'hunter2';

/** `hosts`: name → port on loopback. Credentials are required. */
export async function openProxy(hosts: Readonly<Record<string, number>>): Promise<ForwardProxy> {
  const requests: string[] = [];
  const state: { refusal: number | null } = { refusal: null };
  const expected = `Basic ${Buffer.from(`us@er:${proxySecret}`).toString('base64')}`;
  const statusFor = ({ headers }: IncomingMessage, port: number | undefined): number | null => {
    if (headers['proxy-authorization'] !== expected) return 407;
    return state.refusal ?? (port === undefined ? 502 : null);
  };
  const server = createServer((request, response) => {
    const target = new URL(request.url ?? '');
    requests.push(`${request.method} ${target.href}`);
    const port = hosts[target.hostname];
    const status = statusFor(request, port);
    if (status !== null || port === undefined) return void response.writeHead(status ?? 502).end();
    const { 'proxy-authorization': _, ...headers } = request.headers;
    const options = {
      port,
      host: '127.0.0.1',
      path: `${target.pathname}${target.search}`,
      method: request.method ?? 'GET',
      headers,
    };
    const onward = forward(options, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    requests.push(`CONNECT ${request.url}`);
    socket.on('error', () => {});
    const port = hosts[request.url?.split(':')[0] ?? ''];
    const status = statusFor(request, port);
    if (status !== null || port === undefined)
      return void socket.end(`HTTP/1.1 ${status} ${proxySecret}\r\n\r\n`);
    const onward = connect(port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    onward.on('error', () => socket.destroy());
    socket.on('close', () => onward.destroy());
  });
  const listening = await listenOnLoopback(server);
  const address = `127.0.0.1:${listening.port}`;
  return {
    ...listening,
    requests,
    url: `http://us%40er:${proxySecret}@${address}`,
    name: `http://${address}`,
    get refusal() {
      return state.refusal;
    },
    set refusal(refusal) {
      state.refusal = refusal;
    },
  };
}
