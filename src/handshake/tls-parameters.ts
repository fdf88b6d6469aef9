/** What the TLS handshake agreed on and proved, read once from the socket. */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** What a record says of the handshake; null is what is not known, or was not agreed on. */
export interface Negotiated {
  readonly resumed: boolean | null;
  readonly tlsVersion: string | null;
  readonly cipher: string | null;
  readonly sni: string | null;
  readonly alpn: string | null;
}

export interface Peer extends Negotiated {
  /** The leaf; null: the client sent no certificate. */
  readonly leaf: X509Certificate | null;
  /**
   * OpenSSL's objection to the chain, null where it has none; of several the last. On a resumed connection it repeats
   * what was true when the ticket was made. What it counts for: identity/openssl.ts.
   */
  readonly opensslCode: string | null;
  readonly resumed: boolean;
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

/**
 * Of a handshake that failed: the name that the client called, and, once it was agreed on, the rest. `offered`: the
 * version is what the client offers at most.
 */
export function readFailed(
  socket: TLSSocket,
  { agreed, offered }: { readonly agreed: boolean; readonly offered: boolean },
): Negotiated {
  return {
    resumed: agreed ? (socket.isSessionReused() ?? null) : null,
    // Before that OpenSSL names the newest it knows, or the oldest.
    tlsVersion: agreed || offered ? socket.getProtocol() : null,
    cipher: agreed ? (socket.getCipher()?.standardName ?? null) : null,
    sni: typeof socket.servername === 'string' ? socket.servername : null,
    alpn: agreed && typeof socket.alpnProtocol === 'string' ? socket.alpnProtocol : null,
  };
}
