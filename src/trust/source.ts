/** Fetches one file of a trust anchor over verified HTTPS, conditionally where the server allows it. */
import { type Fetched, fetchResource, type Validators } from '../fetch/resource.ts';

export type { Fetched, Validators };

export interface FetchOptions {
  readonly url: string;
  /** PEM of the CAs to verify the server with, instead of Node's own. */
  readonly ca?: Buffer | undefined;
  readonly validators?: Validators | undefined;
  /** Milliseconds for everything from the name look-up to the last byte; default 10 s. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Throws GatewayError `TRUST_URL_REFUSED`, `TRUST_FETCH_FAILED`, `TRUST_FETCH_TIMEOUT`, `TRUST_FETCH_STATUS`
 * or `TRUST_FETCH_TOO_LARGE`. Redirects are an error: whoever may redirect would choose the trust anchor's source.
 */
export function fetchSource({ timeout = 10_000, ...options }: FetchOptions): Promise<Fetched> {
  return fetchResource({ ...options, purpose: 'TRUST', schemes: ['https'], timeout, maxBytes: 1024 * 1024 });
}
