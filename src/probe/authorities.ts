/**
 * What a server sends unasked: its certificates as sent, and its request for a client certificate. Reads the flight of
 * TLS 1.2; of TLS 1.3 where the server has no 1.2; and asks `openssl s_client`, where it is installed, if neither can be read.
 */
import type { Endpoint } from './endpoint.ts';
import type { FlightFailure } from './outcome.ts';
import type { CertificateRequest } from './server-flight.ts';
import type { VersionName } from './versions.ts';

export type SentFacts =
  | {
      readonly kind: 'sent';
      readonly version: VersionName;
      /** `flight`: our own reader. */
      readonly source: 'flight' | 'openssl';
      /** DER, in the order sent. */
      readonly certificates: readonly Buffer[];
      /** null: no client certificate is asked for. */
      readonly certificateRequest: CertificateRequest | null;
    }
  /** The server speaks TLS, but neither reader can read it here. `reason`: a clause for a report. */
  | { readonly kind: 'not-possible'; readonly reason: string }
  | { readonly kind: 'failed'; readonly failure: FlightFailure };

export function readSentFacts(endpoint: Endpoint): Promise<SentFacts> {
  throw new Error(`not built: ${endpoint.host}`);
}

export type RequestedAuthorities =
  | {
      readonly kind: 'requested';
      readonly version: VersionName;
      readonly source: 'flight' | 'openssl';
      readonly request: CertificateRequest;
    }
  | { readonly kind: 'not-requested'; readonly version: VersionName; readonly source: 'flight' | 'openssl' }
  | { readonly kind: 'not-possible'; readonly reason: string }
  | { readonly kind: 'failed'; readonly failure: FlightFailure };

/** The same facts, of the request alone. */
export function requestedAuthorities(endpoint: Endpoint): Promise<RequestedAuthorities> {
  throw new Error(`not built: ${endpoint.host}`);
}
