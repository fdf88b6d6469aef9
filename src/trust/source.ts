/** Fetches one file of a trust anchor over verified HTTPS, conditionally where the server allows it. */
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { GatewayError } from '../errors.ts';

/** What lets a server answer 304 (RFC 9110 §8.8). */
export interface Validators {
  readonly etag?: string;
  readonly lastModified?: string;
}

export type Fetched =
  | { readonly status: 'fetched'; readonly bytes: Buffer; readonly validators: Validators }
  | { readonly status: 'unchanged' };

export interface FetchOptions {
  readonly url: string;
  /** PEM of the CAs to verify the server with, instead of Node's own. */
  readonly ca?: Buffer | undefined;
  readonly validators?: Validators | undefined;
  /** Milliseconds for everything from the name look-up to the last byte; default 10 s. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

const sizeLimit = 1024 * 1024;

/**
 * Throws GatewayError `TRUST_URL_REFUSED`, `TRUST_FETCH_FAILED`, `TRUST_FETCH_TIMEOUT`, `TRUST_FETCH_STATUS`
 * or `TRUST_FETCH_TOO_LARGE`. Redirects are an error: whoever may redirect would choose the trust anchor's source.
 */
export async function fetchSource(options: FetchOptions): Promise<Fetched> {
  const { url, timeout = 10_000 } = options;
  if (!isAcceptable(url)) {
    throw failure('TRUST_URL_REFUSED', `${url}: only https URLs without credentials are fetched`);
  }
  const deadline = AbortSignal.timeout(timeout);
  try {
    const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
    return await read(await open(options, signal), options);
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    if (deadline.aborted)
      throw failure('TRUST_FETCH_TIMEOUT', `${url}: no answer within ${timeout} ms`, cause);
    throw failure('TRUST_FETCH_FAILED', `${url}: ${describe(cause)}`, cause);
  }
}

function isAcceptable(url: string): boolean {
  const parsed = URL.parse(url);
  return parsed?.protocol === 'https:' && parsed.username === '' && parsed.password === '';
}

function open({ url, ca, validators }: FetchOptions, signal: AbortSignal): Promise<IncomingMessage> {
  const headers: Record<string, string> = { accept: '*/*', 'accept-encoding': 'identity' };
  if (validators?.etag !== undefined) headers['if-none-match'] = validators.etag;
  if (validators?.lastModified !== undefined) headers['if-modified-since'] = validators.lastModified;
  return new Promise((resolve, reject) => {
    request(url, {
      headers,
      signal,
      agent: false,
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      ...(ca === undefined ? {} : { ca }),
    })
      .on('response', resolve)
      .on('error', reject)
      .end();
  });
}

async function read(response: IncomingMessage, { url, validators }: FetchOptions): Promise<Fetched> {
  const { statusCode, headers } = response;
  try {
    if (statusCode === 304 && validators !== undefined) return { status: 'unchanged' };
    if (statusCode !== 200) throw failure('TRUST_FETCH_STATUS', `${url}: the server answered ${statusCode}`);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > sizeLimit) throw failure('TRUST_FETCH_TOO_LARGE', `${url}: more than ${sizeLimit} bytes`);
      chunks.push(chunk);
    }
    return {
      status: 'fetched',
      bytes: Buffer.concat(chunks),
      validators: {
        ...(headers.etag === undefined ? {} : { etag: headers.etag }),
        ...(headers['last-modified'] === undefined ? {} : { lastModified: headers['last-modified'] }),
      },
    };
  } finally {
    response.destroy();
  }
}

function describe(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return 'code' in cause ? `${cause.code}: ${cause.message}` : cause.message;
}

function failure(code: string, message: string, cause?: unknown): GatewayError {
  return new GatewayError({ code, side: 'internal', message, cause });
}
