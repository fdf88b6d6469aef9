/** Sends an OCSP request to a responder over HTTP (RFC 6960 appendix A.1) and returns the bytes of its response. */
import { GatewayError } from '../../errors.ts';
import { fetchResource } from '../../fetch/http-fetch.ts';

/** Maximum size of a response, octets. */
const MAX_RESPONSE = 64 * 1024;

export interface FetchOcspOptions {
  /** http or https: the response is signed, so http is safe too. */
  readonly url: string;
  /** DER. */
  readonly request: Uint8Array;
  /** Milliseconds from the name resolution to the last byte; default 10 s. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
  /** PEM of the CAs that an HTTPS responder is verified with, instead of Node's own. */
  readonly ca?: Buffer;
}

/**
 * The bytes of the response, not parsed. Follows at most 3 redirects, to the same host only.
 * Throws GatewayError `OCSP_URL_REFUSED`, `OCSP_FETCH_FAILED`, `OCSP_FETCH_TIMEOUT`, `OCSP_FETCH_STATUS`,
 * `OCSP_FETCH_REDIRECT`, `OCSP_FETCH_TOO_LARGE` or `OCSP_FETCH_TYPE`.
 */
export async function fetchOcsp({
  request,
  timeout = 10_000,
  ...options
}: FetchOcspOptions): Promise<Buffer> {
  const fetched = await fetchResource({
    ...options,
    purpose: 'OCSP',
    post: { type: 'application/ocsp-request', body: request },
    accept: 'application/ocsp-response',
    redirects: 3,
    timeout,
    maxBytes: MAX_RESPONSE,
  });
  if (fetched.status === 'unchanged') throw new TypeError('304 for a request without conditions');
  // Many responders send another type or none. Text is the page of a proxy or portal, which this message makes clear.
  if (fetched.type.startsWith('text/')) {
    const message = `${options.url}: the server sent ${fetched.type} instead of an OCSP response`;
    throw new GatewayError({ code: 'OCSP_FETCH_TYPE', message });
  }
  return fetched.bytes;
}
