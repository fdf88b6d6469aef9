/** Sends requests to one introspection endpoint over connections that are kept, with limits on time and size. */
import type { IncomingMessage } from 'node:http';
import { type AgentOptions, Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { getCACertificates } from 'node:tls';
import { proxyFor } from '../fetch/egress-proxy.ts';
import { TunnelAgent } from '../fetch/tunnel.ts';
import { authenticate } from './client-authentication.ts';
import { type ResponseReading, readResponse } from './response.ts';
import type { IntrospectionSettings } from './settings.ts';

/** Bytes of a response. */
const MAX_RESPONSE = 64 * 1024;
/** Requests at the same time; others wait, within their timeout. */
const MAX_SOCKETS = 64;

export type EndpointResult =
  | ResponseReading
  /** `problem`: for the log; never repeats the token, a credential or the response. */
  | {
      readonly status: 'timeout' | 'unreachable' | 'status';
      readonly problem: string;
    };

export class IntrospectionEndpoint {
  readonly #settings: IntrospectionSettings;
  readonly #agent: HttpsAgent;

  constructor(settings: IntrospectionSettings) {
    this.#settings = settings;
    this.#agent = agentOf(settings);
  }

  /** Follows no redirect: the token and the credentials would go to another server. Never rejects. */
  async ask(token: string, signal: AbortSignal): Promise<EndpointResult> {
    const { timeout, auth } = this.#settings;
    const deadline = AbortSignal.timeout(timeout);
    try {
      const { headers, fields } = await authenticate(auth, Date.now());
      const body = new URLSearchParams({ token, token_type_hint: 'access_token', ...fields }).toString();
      return await this.#post(body, { headers, signal: AbortSignal.any([deadline, signal]), isRetry: false });
    } catch (cause) {
      if (deadline.aborted) return { status: 'timeout', problem: `no answer within ${timeout} ms` };
      const { code = 'unknown' } = cause as NodeJS.ErrnoException;
      return { status: 'unreachable', problem: `no answer (${code})` };
    }
  }

  close(): void {
    this.#agent.destroy();
  }

  async #post(body: string, options: PostOptions): Promise<EndpointResult> {
    const request = requestHttps(this.#settings.endpoint, {
      method: 'POST',
      agent: this.#agent,
      signal: options.signal,
      headers: {
        ...options.headers,
        accept: 'application/json',
        'accept-encoding': 'identity',
        'content-type': 'application/x-www-form-urlencoded',
        'content-length': Buffer.byteLength(body),
      },
    });
    let response: IncomingMessage;
    try {
      response = await new Promise((resolve, reject) => {
        // After a 101 (Switching Protocols) Node closes the request with neither a response nor an error.
        request.on('close', () => reject(Object.assign(new Error(), { code: 'no response' })));
        request.on('response', resolve).on('error', reject).end(body);
      });
    } catch (cause) {
      // The server closed the kept connection at the same time; asking twice changes nothing (RFC 9110 §9.2.2).
      const isStale = request.reusedSocket && !options.signal.aborted && !options.isRetry;
      if (isStale) return this.#post(body, { ...options, isRetry: true });
      throw cause;
    }
    return read(response);
  }
}

interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** A second attempt, on another connection. */
  readonly isRetry: boolean;
}

function agentOf({ endpoint, ca, auth, timeout }: IntrospectionSettings): HttpsAgent {
  const own = auth.kind === 'tls_client_auth' ? auth.certificate : null;
  const options: AgentOptions = {
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    ca: ca === null ? getCACertificates('system') : [...ca],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: true,
    ...(own === null ? {} : { cert: own.chain, key: own.key }),
    ...(own?.passphrase === undefined ? {} : { passphrase: own.passphrase }),
  };
  const proxy = proxyFor(new URL(endpoint));
  if (proxy === null) return new HttpsAgent(options);
  return new TunnelAgent({ ...options, proxy, signal: () => AbortSignal.timeout(timeout) });
}

async function read(response: IncomingMessage): Promise<EndpointResult> {
  const { statusCode = 0, headers } = response;
  if (statusCode !== 200) {
    response.destroy();
    return { status: 'status', problem: `the endpoint answered ${statusCode}` };
  }
  const encoding = headers['content-encoding']?.trim().toLowerCase() ?? 'identity';
  const body = encoding === 'identity' ? await collect(response) : null;
  if (body === null) {
    response.destroy();
    const problem =
      encoding === 'identity'
        ? `more than ${MAX_RESPONSE} bytes`
        : 'a Content-Encoding that was not asked for';
    return { status: 'invalid', problem: `the response has ${problem}` };
  }
  return readResponse(body, headers['content-type'] ?? '');
}

/** null: too large. */
async function collect(response: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_RESPONSE) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
