/** Posts batches of spans to the collector, one at a time, and reads no more of its answers than it must. */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { getCACertificates } from 'node:tls';
import { type HttpProxy, proxyFor, type Route, routeOf } from '../fetch/egress-proxy.ts';
import { TunnelAgent } from '../fetch/tunnel.ts';
import type { TracingSettings } from './settings.ts';

export type CollectorAnswer =
  /** It has them, but for so many that it would never take. */
  | { readonly kind: 'taken'; readonly rejected: number }
  /** To be sent again later; `retryAfter`: the field's value (RFC 9110 §10.2.3). */
  | { readonly kind: 'busy'; readonly status: number; readonly retryAfter: string | null }
  /** Never to be sent again. */
  | { readonly kind: 'refused'; readonly status: number }
  /** No answer; `cause`: the system's, OpenSSL's or Node's code, and the proxy's name where there is one. */
  | { readonly kind: 'silent'; readonly cause: string };

/** The exporters' default (OTEL_EXPORTER_OTLP_TIMEOUT), ms: for everything, the answer's body included. */
const TIMEOUT_MS = 10_000;
/** An answer holds a number and a sentence. */
const mostAnswer = 64 * 1024;
/** OTLP: to be tried again after these, and after no others. */
const busy: readonly number[] = [429, 502, 503, 504];

interface CollectorOptions extends Pick<TracingSettings, 'endpoint' | 'headers' | 'ca'> {
  readonly timeout?: number;
}

export class Collector {
  readonly #route: Route;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent: HttpAgent;
  /** null: the collector is asked directly. */
  readonly #proxy: HttpProxy | null;
  readonly #timeout: number;

  constructor({ endpoint, headers, ca, timeout = TIMEOUT_MS }: CollectorOptions) {
    const url = new URL(endpoint);
    this.#proxy = proxyFor(url);
    this.#route = routeOf(url, this.#proxy);
    this.#headers = {
      ...Object.fromEntries(headers),
      ...this.#route.headers,
      'content-type': 'application/json',
    };
    this.#timeout = timeout;
    this.#agent =
      url.protocol === 'https:' ? secureAgent({ proxy: this.#proxy, ca, timeout }) : plainAgent(this.#route);
  }

  /** Never rejects; aborted, it is silent. Redirects are not followed: credentials and spans go where they were sent. */
  async post(body: string, abort: AbortSignal): Promise<CollectorAnswer> {
    const bytes = Buffer.from(body);
    const { url, options: route } = this.#route;
    const options = {
      ...route,
      method: 'POST',
      agent: this.#agent,
      headers: { ...this.#headers, 'content-length': bytes.length },
      signal: AbortSignal.any([AbortSignal.timeout(this.#timeout), abort]),
    };
    const request = url.protocol === 'http:' ? requestHttp : requestHttps;
    try {
      const answer = await new Promise<IncomingMessage>((resolve, reject) => {
        request(url, options).on('response', resolve).on('error', reject).end(bytes);
      });
      return await read(answer);
    } catch (error) {
      const { code = 'unknown' } = error as NodeJS.ErrnoException;
      const cause = code === 'ABORT_ERR' ? 'timeout' : code;
      return {
        kind: 'silent',
        cause: this.#proxy ? `${cause} through the proxy ${this.#proxy.name}` : cause,
      };
    }
  }

  /** Closes the connection that waits for the next batch. */
  close(): void {
    this.#agent.destroy();
  }
}

const reuse = { keepAlive: true, maxSockets: 1 };

function plainAgent({ url }: Route): HttpAgent {
  // A proxy may want TLS itself.
  return url.protocol === 'https:' ? new HttpsAgent(reuse) : new HttpAgent(reuse);
}

function secureAgent({
  proxy,
  ca,
  timeout,
}: Pick<CollectorOptions, 'ca'> & {
  readonly proxy: HttpProxy | null;
  readonly timeout: number;
}): HttpsAgent {
  const options = {
    ...reuse,
    ca: ca === null ? getCACertificates('system') : [...ca],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
  } as const;
  if (proxy === null) return new HttpsAgent(options);
  return new TunnelAgent({ ...options, proxy, signal: () => AbortSignal.timeout(timeout) });
}

async function read(answer: IncomingMessage): Promise<CollectorAnswer> {
  const { statusCode: status = 0, headers } = answer;
  const text = await readText(answer);
  if (status >= 200 && status < 300) return { kind: 'taken', rejected: rejectedOf(text) };
  if (busy.includes(status)) return { kind: 'busy', status, retryAfter: headers['retry-after'] ?? null };
  return { kind: 'refused', status };
}

/** As far as it comes, and as far as it is short: the status is known, and counts. */
async function readText(answer: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk;
      if (text.length > mostAnswer) break;
    }
  } catch {
    return '';
  }
  return text;
}

/** ExportTraceServiceResponse: a number, or, as 64-bit numbers are written in Protobuf's JSON, a text. */
function rejectedOf(text: string): number {
  try {
    const { partialSuccess } = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: unknown } };
    const rejected = Math.trunc(Number(partialSuccess?.rejectedSpans ?? 0));
    return rejected > 0 ? rejected : 0;
  } catch {
    return 0;
  }
}
