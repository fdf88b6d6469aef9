/** Fetches the files of a trust anchor over verified HTTPS, conditionally where the server allows it. */
import { type Fetched, fetchResource, type Validators } from '../fetch/resource.ts';
import type { StoredSource } from './disk-cache.ts';

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

export type FetchedSources =
  | { readonly ok: true; readonly sources: readonly StoredSource[] }
  /** The first one that failed. */
  | { readonly ok: false; readonly url: string; readonly detail: string };

/** All of them or none. `stored`: what a server's 304 may stand for, in the order of the URLs. */
export async function fetchSources(options: {
  readonly urls: readonly string[];
  readonly ca: Buffer | undefined;
  readonly stored: readonly StoredSource[] | undefined;
  readonly signal: AbortSignal;
}): Promise<FetchedSources> {
  const { urls, ca, stored } = options;
  // One failure makes the set useless, so it ends the other fetches too: none is left running behind the next try.
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const failures: FetchedSources[] = [];
  const sources = await Promise.all(
    urls.map(async (url, index) => {
      const validators = stored?.[index];
      try {
        const fetched = await fetchSource({ url, ca, validators, signal });
        if (fetched.status === 'fetched') return { url, bytes: fetched.bytes, ...fetched.validators };
        if (validators !== undefined) return validators;
        throw new TypeError(`${url}: unchanged, but nothing was stored`);
      } catch (cause) {
        failures.push({ ok: false, url, detail: cause instanceof Error ? cause.message : String(cause) });
        failed.abort();
        return [];
      }
    }),
  );
  return failures[0] ?? { ok: true, sources: sources.flat() };
}
