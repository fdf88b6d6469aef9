/** The miniature directory's part over plain HTTP, where everything is signed: CRLs, OCSP, and two buttons to press. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Issued } from '../issuing/certificate.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { Audience } from './audience.ts';
import { serveFile } from './directory.ts';
import { type Revocations, revocationPaths } from './revocations.ts';

export interface RevocationServerOptions {
  readonly revocations: Revocations;
  /** Whom `POST /revoke` revokes, and `POST /restore` lets in again. */
  readonly client: Issued;
}

type Action = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

export function serveRevocations({ revocations, client }: RevocationServerOptions): RequestListener {
  const audience = new Audience();
  const sources = [revocationPaths.issuingCrl, parseCertificate(client.der).serial];
  /** 204 when the gateway knows of it: what is typed next is judged by it. */
  const tell =
    (change: () => boolean): Action =>
    async (request, response) => {
      request.resume();
      if (change()) await audience.hasHeardOf(sources);
      response.writeHead(204).end();
    };
  const actions = new Map<string, Action>([
    ['/revoke', tell(() => revocations.revoke(client))],
    ['/restore', tell(() => revocations.restore(client))],
    [
      revocationPaths.ocsp,
      async (request, response) => {
        const { response: body, serials } = revocations.answer(await buffer(request));
        for (const serial of serials) audience.asksFor(serial);
        response.setHeader('content-type', 'application/ocsp-response').end(body);
      },
    ],
  ]);
  return (request, response) => {
    const { method, url = '' } = request;
    const action = method === 'POST' ? actions.get(url) : undefined;
    if (action !== undefined) {
      action(request, response).catch(() => response.destroy());
      return;
    }
    if (revocations.crls.has(url)) audience.asksFor(url);
    serveFile(revocations.crls, request, response);
  };
}
