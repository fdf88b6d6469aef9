/** Sends an OCSP request to a responder over HTTP (RFC 6960 appendix A.1) and brings back whatever it answers. */
import { GatewayError } from '../../errors.ts';
import { fetchResource } from '../../fetch/resource.ts';

export interface FetchOcspOptions {
  /** http or https: the answer is signed, and so proves itself over either. */
  readonly url: string;
  /** DER. */
  readonly request: Uint8Array;
  /** Milliseconds for everything from the name look-up to the last byte; default 10 s. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** Default 64 KiB. */
  readonly maxBytes?: number;
  /** PEM of the CAs to verify an HTTPS responder with, instead of Node's own. */
  readonly ca?: Buffer;
}

/**
 * The answer's bytes, unread. At most 3 redirects are followed, to the same host only.
 * Throws GatewayError `OCSP_URL_REFUSED`, `OCSP_FETCH_FAILED`, `OCSP_FETCH_TIMEOUT`, `OCSP_FETCH_STATUS`,
 * `OCSP_FETCH_REDIRECT`, `OCSP_FETCH_TOO_LARGE` or `OCSP_FETCH_TYPE`.
 */
export async function fetchOcsp({
  request,
  timeout = 10_000,
  maxBytes = 64 * 1024,
  ...options
}: FetchOcspOptions): Promise<Buffer> {
  const fetched = await fetchResource({
    ...options,
    purpose: 'OCSP',
    post: { type: 'application/ocsp-request', body: request },
    accept: 'application/ocsp-response',
    redirects: 3,
    timeout,
    maxBytes,
  });
  if (fetched.status === 'unchanged') throw new TypeError('unchanged, though nothing conditional was asked');
  // Responders with another type, or none, are common; text is a proxy's or a portal's page, and better named so.
  if (fetched.type.startsWith('text/')) {
    const message = `${options.url}: the server answered with ${fetched.type}, not with an OCSP response`;
    throw new GatewayError({ code: 'OCSP_FETCH_TYPE', message });
  }
  return fetched.bytes;
}
