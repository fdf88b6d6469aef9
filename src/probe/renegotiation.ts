/** Whether a server renegotiates when a client asks for it (RFC 5246 §7.4.1.1), up to TLS 1.2. */
import type { Endpoint } from './endpoint.ts';

export type Renegotiation =
  /** A second handshake was done. */
  | { readonly kind: 'accepted' }
  /** The server sent no_renegotiation, or ended the connection. */
  | { readonly kind: 'refused' }
  /** No TLS 1.2 or older, or no answer in time. `reason`: a clause for a report. */
  | { readonly kind: 'unknown'; readonly reason: string };

export function probeRenegotiation(endpoint: Endpoint): Promise<Renegotiation> {
  throw new Error(`not built: ${endpoint.host}`);
}
