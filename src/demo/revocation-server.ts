/** The demo's HTTP server for CRLs and OCSP, with two actions: `POST /revoke` and `POST /restore`. */
import { EventEmitter, once } from 'node:events';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { Issued } from '../issuing/certificate.ts';
import { parseCertificate } from '../pki/certificate.ts';
import { serveFile } from './directory.ts';
import { type Revocations, revocationPaths } from './revocations.ts';

interface RevocationServerOptions {
  readonly revocations: Revocations;
  /** The certificate that `POST /revoke` revokes and `POST /restore` restores. */
  readonly client: Issued;
}

type Action = (request: IncomingMessage, response: ServerResponse) => Promise<unknown>;

export function serveRevocations({ revocations, client }: RevocationServerOptions): RequestListener {
  const fetches = new FetchTracker();
  const sources = [revocationPaths.issuingCrl, parseCertificate(client.der).serial];
  /** Sends 204 when the gateway has fetched the change, so that the next command is judged by it. */
  const change =
    (apply: () => boolean): Action =>
    async (request, response) => {
      request.resume();
      if (apply()) await fetches.untilFetched(sources);
      response.writeHead(204).end();
    };
  const actions = new Map<string, Action>([
    ['/revoke', change(() => revocations.revoke(client))],
    ['/restore', change(() => revocations.restore(client))],
    [
      revocationPaths.ocsp,
      async (request, response) => {
        const { response: body, serials } = revocations.answer(await buffer(request));
        for (const serial of serials) fetches.record(serial);
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
    if (revocations.crls.has(url)) fetches.record(url);
    serveFile(revocations.crls, request, response);
  };
}

/** A client that does not fetch again within this time has gone, ms. */
const FETCH_TIMEOUT = 10_000;

/** Detects when a client that fetches a source again and again has processed its change. */
export class FetchTracker {
  readonly #fetched = new EventEmitter();
  readonly #known = new Set<string>();

  record(source: string): void {
    this.#known.add(source);
    this.#fetched.emit(source);
  }

  /**
   * Resolves when each of these sources that was ever fetched was fetched twice more: a client that fetches again has
   * processed the response before. Resolves after FETCH_TIMEOUT at the latest.
   */
  async untilFetched(sources: readonly string[]): Promise<void> {
    const signal = AbortSignal.timeout(FETCH_TIMEOUT);
    const waiting = sources
      .filter((source) => this.#known.has(source))
      .map(async (source) => {
        await once(this.#fetched, source, { signal });
        await once(this.#fetched, source, { signal });
      });
    await Promise.allSettled(waiting);
  }
}
