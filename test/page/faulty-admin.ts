/** A server between the browser and the admin port that passes everything on, and spoils `/api/status` as asked. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Gateway } from '../support/process/gateway.ts';

/** What happens to a response of `/api/status`: it is passed on, or replaced, or never sent. */
export type Fault =
  | { readonly kind: 'none' }
  | { readonly kind: 'status'; readonly status: number }
  /** The connection ends in the middle of the body. */
  | { readonly kind: 'cut' }
  | { readonly kind: 'reset' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'body'; readonly body: string }
  /** The document with these fields replaced; undefined removes one. */
  | { readonly kind: 'changed'; readonly fields: Readonly<Record<string, unknown>> };

export class FaultyAdmin implements AsyncDisposable {
  fault: Fault = { kind: 'none' };
  readonly #server = createServer();
  readonly #gateway: Gateway;

  constructor(gateway: Gateway) {
    this.#gateway = gateway;
    this.#server.on('request', async ({ url = '/' }, response) => {
      const { address, port } = gateway.ready.admin;
      const answer = await fetch(`http://${address}:${port}${url}`).then(read, () => null);
      // The gateway has ended.
      if (answer === null) return response.destroy();
      const { status, headers, body } = answer;
      const isSpoilt = url === '/api/status' && this.fault.kind !== 'none';
      for (const [name, value] of headers) {
        if (!['connection', 'content-length'].includes(name)) response.setHeader(name, value);
      }
      if (isSpoilt) this.#spoil(response, body);
      else response.writeHead(status).end(body);
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  get gateway(): Gateway {
    return this.#gateway;
  }

  #spoil(response: ServerResponse, body: string): void {
    const { fault } = this;
    switch (fault.kind) {
      case 'none':
        response.end(body);
        return;
      case 'status':
        response.writeHead(fault.status).end('internal error\n');
        return;
      case 'cut':
        response.setHeader('Content-Length', body.length);
        response.write(body.slice(0, body.length / 2), () => response.destroy());
        return;
      case 'reset':
        response.destroy();
        return;
      case 'silent':
        return;
      case 'body':
        response.end(fault.body);
        return;
      case 'changed':
        response.end(JSON.stringify({ ...JSON.parse(body), ...fault.fields }));
        return;
      default:
        fault satisfies never;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function read(response: Response): Promise<{ status: number; headers: Headers; body: string }> {
  return { status: response.status, headers: response.headers, body: await response.text() };
}
