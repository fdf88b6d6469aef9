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
  readonly #origin: string;

  constructor(gateway: Gateway) {
    const { address, port } = gateway.ready.admin;
    this.#origin = `http://${address}:${port}`;
    this.#server.on('request', ({ url = '/' }, response) => {
      const fault: Fault = url === '/api/status' ? this.fault : { kind: 'none' };
      void spoil(fault, { url: `${this.#origin}${url}`, response });
    });
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** `url`: of the admin port. */
async function spoil(
  fault: Fault,
  { url, response }: { readonly url: string; readonly response: ServerResponse },
): Promise<void> {
  switch (fault.kind) {
    case 'none':
    case 'cut':
    case 'changed':
      return passOn(fault, { url, response });
    case 'status':
      response.writeHead(fault.status).end('internal error\n');
      return;
    case 'reset':
      response.destroy();
      return;
    case 'silent':
      return;
    case 'body':
      response.end(fault.body);
      return;
    default:
      fault satisfies never;
  }
}

async function passOn(
  fault: Fault,
  { url, response }: { readonly url: string; readonly response: ServerResponse },
): Promise<void> {
  const answer = await fetch(url).then(
    async (answer) => ({ status: answer.status, headers: answer.headers, body: await answer.text() }),
    () => null,
  );
  // The gateway has ended.
  if (answer === null) return void response.destroy();
  const { status, headers, body } = answer;
  for (const [name, value] of headers) {
    if (!['connection', 'content-length'].includes(name)) response.setHeader(name, value);
  }
  if (fault.kind === 'cut') {
    response.setHeader('Content-Length', body.length);
    response.write(body.slice(0, body.length / 2), () => response.destroy());
  } else {
    const fields = fault.kind === 'changed' ? fault.fields : null;
    response
      .writeHead(status)
      .end(fields === null ? body : JSON.stringify({ ...JSON.parse(body), ...fields }));
  }
}
