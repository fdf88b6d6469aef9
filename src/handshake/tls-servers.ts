/** The TLS servers: one reads from TCP sockets, one through gates, for callers that the allowlist does not name (gate.ts). */
import type { Socket } from 'node:net';
import tls, { type SecureContextOptions, type TLSSocket } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { FlightRefusal } from './client-flight.ts';
import { Gate } from './handshake-inspector.ts';
import type { Inbound } from './inbound.ts';
import { chooseProtocol, secureContextOptions } from './tls-options.ts';

/** Node's own timer restarts with every byte; the sweep's does not, so Node need not set any. */
const NO_TIMER = -1;

/** Node keeps what is below a TLS socket in these; nothing public leads from one to the other. */
type Wrapping = TLSSocket & {
  readonly _parent?: Socket;
  readonly ssl?: { readonly _parentWrap?: { readonly stream?: unknown } } | null;
};

interface TlsServersOptions {
  readonly snapshot: PolicySnapshot;
  readonly onSecure: (socket: TLSSocket) => void;
  readonly onError: (error: Error & { code?: string }, socket: TLSSocket) => void;
  /** The gate holds back what came. */
  readonly onRefused: (inbound: Inbound, refusal: FlightRefusal) => void;
}

export class TlsServers {
  readonly #options: TlsServersOptions;
  readonly #direct: tls.Server;
  /** Made with the first caller that needs it: with an allowlist mostly none does. */
  #gated: tls.Server | null = null;
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
    // Only what counts in a share of its address was not named.
    if (inbound.share === null) this.#direct.emit('connection', inbound.transport);
    else {
      this.#gated ??= this.#serveGated();
      const { onRefused } = this.#options;
      const gate = new Gate(inbound, {
        maxBytes: this.#maxBytes,
        onRefused: (refusal) => onRefused(inbound, refusal),
      });
      inbound.gate = gate;
      this.#gated.emit('connection', gate);
    }
  }

  /** New handshakes use the snapshot's certificates, CA names and ticket keys. */
  update(snapshot: PolicySnapshot): void {
    this.#maxBytes = snapshot.limits.handshakeBytes;
    const context = secureContextOptions(snapshot);
    // Most snapshots change none of it, and reading keys and certificates again costs milliseconds.
    if (isDeepStrictEqual(context, this.#context)) return;
    this.#context = context;
    this.#direct.setSecureContext(context);
    this.#gated?.setSecureContext(forStrangers(context));
  }

  #serve(context: SecureContextOptions = this.#context): tls.Server {
    const { onSecure, onError } = this.#options;
    const server = tls.createServer({
      ...context,
      requestCert: true,
      // Refused over HTTP, where the caller can read it (identity/), not by an alert.
      rejectUnauthorized: false,
      ALPNCallback: ({ protocols }) => chooseProtocol(protocols),
      handshakeTimeout: NO_TIMER,
    });
    return server.on('secureConnection', onSecure).on('tlsClientError', onError);
  }

  #serveGated(): tls.Server {
    // Only here: the secrets of other connections never become text.
    const server = this.#serve(forStrangers(this.#context));
    server.on('tlsClientError', (_error, socket) => gateOf(socket)?.destroy());
    return server.on('keylog', (line, socket) => {
      gateOf(socket)?.keyLog(line, socket);
      line.fill(0);
    });
  }
}

/** What a stranger may make the server compute with: P-521 takes five times an ordinary handshake, finite fields two. */
function forStrangers(context: SecureContextOptions): SecureContextOptions {
  return { ...context, ecdhCurve: 'X25519MLKEM768:X25519:P-256:P-384' };
}

/** The TCP socket below; null: the TLS socket has let go of it. */
export function transportOf(socket: TLSSocket): Socket | null {
  return (socket as Wrapping)._parent ?? gateOf(socket)?.inbound.transport ?? null;
}

function gateOf(socket: TLSSocket): Gate | null {
  const stream = (socket as Wrapping).ssl?._parentWrap?.stream;
  return stream instanceof Gate ? stream : null;
}
