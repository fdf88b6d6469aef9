/** Downloads the certificate files of an anchor over verified HTTPS, with conditional requests where possible. */
import { type Fetched, fetchResource, type Validators } from '../fetch/http-fetch.ts';
import type { StoredSource } from './disk-cache.ts';

export interface DownloadOptions {
  readonly url: string;
  /** PEM of the CAs that verify the server, instead of Node's bundled CAs. */
  readonly ca?: Buffer | undefined;
  readonly validators?: Validators | undefined;
  /** Milliseconds from the DNS look-up to the last byte; default 10 s. */
  readonly timeout?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Downloads one file of at most 1 MiB. Redirects are an error: a redirect would choose another source of trust.
 * Throws GatewayError `TRUST_URL_REFUSED`, `TRUST_FETCH_FAILED`, `TRUST_FETCH_TIMEOUT`, `TRUST_FETCH_STATUS`,
 * `TRUST_FETCH_ENCODING` or `TRUST_FETCH_TOO_LARGE`.
 */
export function downloadSource({ timeout = 10_000, ...options }: DownloadOptions): Promise<Fetched> {
  return fetchResource({ ...options, purpose: 'TRUST', schemes: ['https'], timeout, maxBytes: 1024 * 1024 });
}

export type DownloadResult =
  | { readonly ok: true; readonly sources: readonly StoredSource[] }
  /** The first URL that failed. */
  | { readonly ok: false; readonly url: string; readonly detail: string };

/**
 * Downloads all URLs or fails. `stored`: what was downloaded before, in the order of the URLs; a server may answer 304
 * for it. Never rejects.
 */
export async function downloadSources(options: {
  readonly urls: readonly string[];
  readonly ca: Buffer | undefined;
  readonly stored: readonly StoredSource[] | undefined;
  readonly signal: AbortSignal;
}): Promise<DownloadResult> {
  const { urls, ca, stored } = options;
  // One failure aborts the other downloads, so that none is still running at the next attempt.
  const failed = new AbortController();
  const signal = AbortSignal.any([options.signal, failed.signal]);
  const failures: DownloadResult[] = [];
  const sources = await Promise.all(
    urls.map(async (url, index) => {
      const validators = stored?.[index];
      try {
        const fetched = await downloadSource({ url, ca, validators, signal });
        if (fetched.status === 'fetched') return { url, bytes: fetched.bytes, ...fetched.validators };
        if (validators !== undefined) return validators;
        throw new TypeError(`${url}: not modified, but nothing is stored`);
      } catch (cause) {
        failures.push({ ok: false, url, detail: cause instanceof Error ? cause.message : String(cause) });
        failed.abort();
        return [];
      }
    }),
  );
  return failures[0] ?? { ok: true, sources: sources.flat() };
}
