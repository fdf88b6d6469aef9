/**
 * HTTPS through an HTTP proxy: a CONNECT tunnel (RFC 9110 §9.3.6), with TLS to the server inside it. Node's own support
 * (`proxyEnv` of its agents) is not used: a request aborted before the proxy responds never ends and leaks its connection.
 */
import { request as requestHttp } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';
import type { HttpProxy } from './egress-proxy.ts';

export interface TunnelOptions extends AgentOptions {
  readonly proxy: HttpProxy;
  /** Called once per tunnel; aborting the signal closes a tunnel that is not open yet. */
  readonly signal: () => AbortSignal;
}

type ConnectionCallback = (error: Error | null, stream: Duplex) => void;

/** Verifies the server's certificate for the host of the URL, as without a proxy. */
export class TunnelAgent extends HttpsAgent {
  readonly #proxy: HttpProxy;
  readonly #signal: () => AbortSignal;

  constructor({ proxy, signal, ...options }: TunnelOptions) {
    super(options);
    this.#proxy = proxy;
    this.#signal = signal;
  }

  override createConnection(options: ConnectionOptions, callback?: ConnectionCallback): undefined {
    const { host, port } = options;
    const name = host?.includes(':') ? `[${host}]` : host;
    openTunnel(this.#proxy, { authority: `${name}:${port}`, signal: this.#signal() }).then(
      (socket) => callback?.(null, connect({ ...options, socket })),
      // Node ignores the second argument after an error.
      (error: Error) => callback?.(error, undefined as never),
    );
  }
}

function openTunnel(
  { url, authorization }: HttpProxy,
  { authority, signal }: { readonly authority: string; readonly signal: AbortSignal },
): Promise<Duplex> {
  const request = url.protocol === 'https:' ? requestHttps : requestHttp;
  const headers = { host: authority, ...authorization };
  return new Promise((resolve, reject) => {
    const connecting = request(url, { method: 'CONNECT', path: authority, headers, agent: false, signal });
    connecting.on('connect', ({ statusCode = 0 }, socket, head) => {
      if (statusCode < 200 || statusCode > 299) {
        socket.destroy();
        const message = `the proxy refused the CONNECT request with status ${statusCode}`;
        return reject(Object.assign(new Error(message), { code: 'PROXY_TUNNEL' }));
      }
      if (head.length > 0) socket.unshift(head);
      resolve(socket);
    });
    connecting.on('error', reject).end();
  });
}
