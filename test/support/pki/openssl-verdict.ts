/** OpenSSL's verdict on chains, from real handshakes over a socket of this process, full and resumed. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createSecureContext, createServer, type Server, type TLSSocket } from 'node:tls';
import { secureContextOptions } from '../../../src/handshake/tls-options.ts';
import { type Peer, readPeer } from '../../../src/handshake/tls-parameters.ts';
import type { PolicySnapshot } from '../../../src/policy/snapshot.ts';

export interface Presented {
  /** PEM: the leaf, then the certificates that the client sends along. */
  readonly chain: string;
  readonly key: string;
  readonly version: 'TLSv1.2' | 'TLSv1.3';
}

export interface Handshakes {
  readonly full: Peer;
  readonly resumed: Peer;
}

export class OpensslVerdict implements AsyncDisposable {
  readonly #server: Server;
  readonly #folder: string;
  readonly #path: string;
  /** Callbacks for the end of a handshake, by the server name that its client sends. */
  readonly #waiting = new Map<string, (peer: Peer) => void>();
  #count = 0;

  private constructor(folder: string, snapshot: PolicySnapshot) {
    this.#folder = folder;
    this.#path = join(folder, 'tls');
    this.#server = createServer(
      { ...secureContextOptions(snapshot), requestCert: true, rejectUnauthorized: false },
      (socket: TLSSocket) => {
        socket.on('error', () => {});
        this.#waiting.get(String(socket.servername))?.(readPeer(socket));
        socket.on('data', () => socket.destroy());
      },
    );
    this.#server.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  static async open(snapshot: PolicySnapshot): Promise<OpensslVerdict> {
    const opened = new OpensslVerdict(await mkdtemp(join(tmpdir(), 'ehi-openssl-')), snapshot);
    opened.#server.listen(opened.#path);
    await once(opened.#server, 'listening');
    return opened;
  }

  /** Verifies with this snapshot's anchors from now on, with the TLS options of the gateway. */
  use(snapshot: PolicySnapshot): void {
    this.#server.setSecureContext(secureContextOptions(snapshot));
  }

  /** null: the client cannot use the certificate, or the handshake fails before a verdict. */
  async judge({ chain, key, version }: Presented): Promise<Handshakes | null> {
    let secureContext: ReturnType<typeof createSecureContext>;
    try {
      // The client's own library must not reject its certificate.
      secureContext = createSecureContext({ cert: chain, key, ciphers: 'DEFAULT:@SECLEVEL=0' });
    } catch {
      return null;
    }
    // Equal for both handshakes: a session is only resumed under its own server name.
    const servername = `c${++this.#count}.example`;
    const shake = async (session?: Buffer): Promise<{ peer: Peer; session: Buffer } | null> => {
      const judged = new Promise<Peer>((resolve) => this.#waiting.set(servername, resolve));
      const client = connect({
        path: this.#path,
        secureContext,
        servername,
        minVersion: version,
        maxVersion: version,
        rejectUnauthorized: false,
        ...(session && { session }),
      });
      try {
        const left = new Promise<null>((resolve) =>
          client.on('error', () => resolve(null)).on('close', () => resolve(null)),
        );
        const ticket = new Promise<Buffer>((resolve) => client.once('session', resolve));
        const both = Promise.all([judged, session ? session : ticket]);
        const result = await Promise.race([both, left]);
        return result === null ? null : { peer: result[0], session: result[1] };
      } finally {
        this.#waiting.delete(servername);
        client.destroy();
      }
    };
    const full = await shake();
    if (full === null) return null;
    const resumed = await shake(full.session);
    return resumed === null ? null : { full: full.peer, resumed: resumed.peer };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
    await rm(this.#folder, { recursive: true });
  }
}
