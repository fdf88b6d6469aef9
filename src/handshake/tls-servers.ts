/**
 * The two TLS servers of the listener. One reads from TCP sockets. The other reads through handshake inspectors, for clients
 * from unlisted addresses (handshake-inspector.ts).
 */
import type { Socket } from 'node:net';
import tls, { type SecureContextOptions, type TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { FlightRefusal } from './client-flight.ts';
import { HandshakeInspector } from './handshake-inspector.ts';
import type { Inbound } from './inbound.ts';
import { chooseProtocol, secureContextOptions } from './tls-options.ts';

/** Node's own handshake timer restarts with every byte. unfinished-handshakes.ts replaces it. */
const NO_TIMER = -1;

/** Node's private links from a TLS socket to the stream below it; there is no public one. */
type Wrapping = TLSSocket & {
  readonly _parent?: Socket;
  readonly ssl?: { readonly _parentWrap?: { readonly stream?: unknown } } | null;
};

interface TlsServersOptions {
  readonly snapshot: PolicySnapshot;
  readonly onSecure: (socket: TLSSocket) => void;
  /** The ClientHello was read; only for clients that offer protocols by ALPN. null: none is shared. */
  readonly onHello: (socket: TLSSocket, protocol: string | null) => void;
  readonly onError: (error: Error & { code?: string }, socket: TLSSocket) => void;
  /** The inspector does not pass on the refused bytes. */
  readonly onRefused: (inbound: Inbound, refusal: FlightRefusal) => void;
}

export class TlsServers {
  readonly #options: TlsServersOptions;
  readonly #direct: tls.Server;
  /** Created for the first client that needs it: with an allowlist there is usually none. */
  #inspected: tls.Server | null = null;
  #context: ReturnType<typeof secureContextOptions>;
  #maxBytes: number;

  constructor(options: TlsServersOptions) {
    this.#options = options;
    this.#context = secureContextOptions(options.snapshot);
    this.#maxBytes = options.snapshot.limits.handshakeBytes;
    this.#direct = this.#serve();
  }

  /** Begins the handshake. */
  begin(inbound: Inbound): void {
    // Connections from listed addresses have no share.
    if (inbound.share === null) this.#direct.emit('connection', inbound.transport);
    else {
      this.#inspected ??= this.#serveInspected();
      const { onRefused } = this.#options;
      const inspector = new HandshakeInspector(inbound, {
        maxBytes: this.#maxBytes,
        onRefused: (refusal) => onRefused(inbound, refusal),
      });
      inbound.inspector = inspector;
      this.#inspected.emit('connection', inspector);
    }
  }

  /** New handshakes use the snapshot's certificates, CA names and ticket keys. */
  update(snapshot: PolicySnapshot): void {
    this.#maxBytes = snapshot.limits.handshakeBytes;
    const context = secureContextOptions(snapshot);
    // Most snapshots leave these options unchanged, and loading keys and certificates again takes milliseconds.
    if (isDeepStrictEqual(context, this.#context)) return;
    this.#context = context;
    this.#direct.setSecureContext(context);
    this.#inspected?.setSecureContext(forUnlisted(context));
  }

  #serve(context: SecureContextOptions = this.#context): tls.Server {
    const { onSecure, onError, onHello } = this.#options;
    const server = tls.createServer({
      ...context,
      requestCert: true,
      // The client is refused over HTTP, where its operator can read the status (identity/), not by an alert.
      rejectUnauthorized: false,
      // Node calls it as a method of the TLS socket, when OpenSSL has read the ClientHello.
      ALPNCallback(this: unknown, { protocols }) {
        const protocol = chooseProtocol(protocols);
        if (this instanceof tls.TLSSocket) onHello(this, protocol ?? null);
        return protocol;
      },
      handshakeTimeout: NO_TIMER,
    });
    return server.on('secureConnection', onSecure).on('tlsClientError', onError);
  }

  #serveInspected(): tls.Server {
    const server = this.#serve(forUnlisted(this.#context));
    server.on('tlsClientError', (_error, socket) => inspectorOf(socket)?.destroy());
    // Only this server has a key log: the secrets of other connections are never written as text.
    return server.on('keylog', (line, socket) => {
      inspectorOf(socket)?.keyLog(line, socket);
      line.fill(0);
    });
  }
}

/**
 * Without the key exchange groups that are costly to the server: P-521 makes a handshake five times as costly, finite
 * fields twice.
 */
function forUnlisted(context: SecureContextOptions): SecureContextOptions {
  return { ...context, ecdhCurve: 'X25519MLKEM768:X25519:P-256:P-384' };
}

/** The TCP socket below a TLS socket; null: the TLS socket is detached from it. */
export function transportOf(socket: TLSSocket): Socket | null {
  return (socket as Wrapping)._parent ?? inspectorOf(socket)?.transport ?? null;
}

function inspectorOf(socket: TLSSocket): HandshakeInspector | null {
  const stream = (socket as Wrapping).ssl?._parentWrap?.stream;
  return stream instanceof HandshakeInspector ? stream : null;
}
