/** Reads from a TLS socket what the handshake negotiated (version, cipher suite, SNI, ALPN) and the client's certificate. */
import type { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';

/** What an audit record contains of a handshake; null: not known, or not negotiated. */
export interface TlsParameters {
  readonly resumed: boolean | null;
  readonly tlsVersion: string | null;
  readonly cipher: string | null;
  readonly sni: string | null;
  readonly alpn: string | null;
}

/** The parameters and the identity of a client whose handshake succeeded. */
export interface Peer extends TlsParameters {
  /** null: the client sent no certificate. */
  readonly leaf: X509Certificate | null;
  /**
   * OpenSSL's verification error for the chain, the last one where there are several; null: none. On a resumed session it
   * is the error of the full handshake. identity/openssl-codes.ts decides what it means.
   */
  readonly opensslCode: string | null;
  readonly resumed: boolean;
}

export function readPeer(socket: TLSSocket): Peer {
  const error: unknown = socket.authorizationError;
  return {
    // `authorized` is not enough: before 24.21 Node set it on a resumed session without a certificate.
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
 * Of a failed handshake: the requested server name, and the rest where it was `agreed` on. `offered`: the socket's version
 * is the highest that the client offers.
 */
export function readFailedParameters(
  socket: TLSSocket,
  { agreed, offered }: { readonly agreed: boolean; readonly offered: boolean },
): TlsParameters {
  return {
    resumed: agreed ? (socket.isSessionReused() ?? null) : null,
    // Before agreement OpenSSL returns the newest or the oldest version that it supports.
    tlsVersion: agreed || offered ? socket.getProtocol() : null,
    cipher: agreed ? (socket.getCipher()?.standardName ?? null) : null,
    sni: typeof socket.servername === 'string' ? socket.servername : null,
    // Node sets it only when the handshake is done.
    alpn: null,
  };
}
