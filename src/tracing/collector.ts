/** Posts batches of spans to the collector, one at a time, and reads a limited part of its responses. */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { getCACertificates } from 'node:tls';
import { type HttpProxy, proxyFor, type Route, routeOf } from '../fetch/egress-proxy.ts';
import { TunnelAgent } from '../fetch/tunnel.ts';
import type { TracingSettings } from './settings.ts';

export type CollectorResult =
  /** The collector has accepted the batch, except `rejected` spans, which it will never accept. */
  | { readonly kind: 'accepted'; readonly rejected: number }
  /** The batch may be sent again later. `retryAfter`: the value of the Retry-After field (RFC 9110 §10.2.3). */
  | { readonly kind: 'retryable'; readonly status: number; readonly retryAfter: string | null }
  /** The batch must not be sent again. */
  | { readonly kind: 'refused'; readonly status: number }
  /** No response. `cause`: error code of the system, OpenSSL or Node, with the name of the proxy if one is used. */
  | { readonly kind: 'no_response'; readonly cause: string };

/** Timeout of a post, including the body of the response, ms. The default of OTEL_EXPORTER_OTLP_TIMEOUT. */
const TIMEOUT_MS = 10_000;
/** Maximum length of a response body that is read. A response has a number and a message. */
const MAX_RESPONSE = 64 * 1024;
/** OTLP: the retryable status codes. */
const retryable: readonly number[] = [429, 502, 503, 504];

interface CollectorOptions extends Pick<TracingSettings, 'endpoint' | 'headers' | 'ca'> {
  readonly timeout?: number;
}

export class Collector {
  readonly #route: Route;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #agent: HttpAgent;
  /** null: spans are sent to the collector directly. */
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

  /**
   * Never rejects; an aborted post resolves with kind `no_response`. Does not follow redirects, so that credentials and spans are
   * sent to no other server.
   */
  async post(body: string, abort: AbortSignal): Promise<CollectorResult> {
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
      const response = await new Promise<IncomingMessage>((resolve, reject) => {
        const sent = request(url, options).on('response', resolve).on('error', reject);
        // After a 101 (Switching Protocols) Node closes the request with neither a response nor an error.
        sent.on('close', () => reject(Object.assign(new Error(), { code: 'upgrade' })));
        sent.end(bytes);
      });
      return await read(response);
    } catch (error) {
      const { code = 'unknown' } = error as NodeJS.ErrnoException;
      const cause = code === 'ABORT_ERR' ? 'timeout' : code;
      return {
        kind: 'no_response',
        cause: this.#proxy ? `${cause} through the proxy ${this.#proxy.name}` : cause,
      };
    }
  }

  /** Closes the idle connection. */
  close(): void {
    this.#agent.destroy();
  }
}

const reuse = { keepAlive: true, maxSockets: 1 };

function plainAgent({ url }: Route): HttpAgent {
  // The proxy itself may require TLS.
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

async function read(response: IncomingMessage): Promise<CollectorResult> {
  const { statusCode: status = 0, headers } = response;
  const text = await readText(response);
  if (status >= 200 && status < 300) return { kind: 'accepted', rejected: rejectedOf(text) };
  if (retryable.includes(status))
    return { kind: 'retryable', status, retryAfter: headers['retry-after'] ?? null };
  return { kind: 'refused', status };
}

/** Reads a limited part of the body. Empty if the body is incomplete: then the status alone decides. */
async function readText(response: IncomingMessage): Promise<string> {
  let text = '';
  try {
    for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk;
      if (text.length > MAX_RESPONSE) break;
    }
  } catch {
    return '';
  }
  return text;
}

/** Reads `rejectedSpans` of ExportTraceServiceResponse: a number, or a string, as Protobuf's JSON mapping has 64-bit numbers. */
function rejectedOf(text: string): number {
  try {
    const { partialSuccess } = JSON.parse(text) as { partialSuccess?: { rejectedSpans?: unknown } };
    const rejected = Math.trunc(Number(partialSuccess?.rejectedSpans ?? 0));
    return rejected > 0 ? rejected : 0;
  } catch {
    return 0;
  }
}
