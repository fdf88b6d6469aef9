/** What the TLS handshake proved, read once from the socket. */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

export interface Peer {
  /** The leaf; null: the client sent no certificate. */
  readonly leaf: X509Certificate | null;
  /**
   * OpenSSL's objection to the chain, null where it has none; of several the last. On a resumed connection it repeats
   * what was true when the ticket was made. What it counts for: identity/openssl.ts.
   */
  readonly opensslCode: string | null;
  readonly resumed: boolean;
  readonly tlsVersion: string | null;
  readonly cipher: string | null;
  readonly sni: string | null;
  readonly alpn: string | null;
}

export function readPeer(socket: TLSSocket): Peer {
  const error: unknown = socket.authorizationError;
  return {
    // Not `authorized` alone: Node before 24.21 called a resumed session without a certificate authorized.
    leaf: socket.getPeerX509Certificate() ?? null,
    opensslCode: socket.authorized
      ? null
      : error instanceof Error
        ? error.message
        : String(error ?? 'UNKNOWN'),
    resumed: socket.isSessionReused(),
    tlsVersion: socket.getProtocol(),
    cipher: socket.getCipher()?.standardName ?? null,
    sni: typeof socket.servername === 'string' ? socket.servername : null,
    alpn: typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : null,
  };
}
