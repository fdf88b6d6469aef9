/** The client's end of TLS towards one endpoint: what it is verified with, what it is shown, and its last session. */
import { createHash, X509Certificate } from 'node:crypto';
import net, { type OnReadOpts } from 'node:net';
import tls, {
  type ConnectionOptions,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { UpstreamTls } from '../policy/snapshot.ts';
import type { SocketAddress } from './connection.ts';

/** A session is not verified again when it resumes: it ends after this, milliseconds, or with the leaf if that is sooner. */
const SESSION_MS = 3_600_000;

/** Throws where OpenSSL will have none of the material. */
export function secureContextOf({ ca, certificate }: UpstreamTls): SecureContext {
  return tls.createSecureContext({
    ca: ca === null ? tls.getCACertificates('system') : [...ca],
    minVersion: 'TLSv1.2',
    ...(certificate !== null && {
      cert: certificate.chain,
      key: certificate.key,
      ...(certificate.passphrase !== undefined && { passphrase: certificate.passphrase }),
    }),
  });
}

interface TlsConnectOptions {
  readonly onread: OnReadOpts;
  readonly proxyHeader: Buffer | null;
}

export class TlsClient {
  readonly #policy: UpstreamTls;
  /** Whom the certificate must name: a host name, or the address that the configuration gives. */
  readonly #identity: string;
  readonly #context: SecureContext;
  #session: Buffer | null = null;
  #sessionUntil = 0;

  /** `host`: the endpoint's, as the configuration writes it. */
  constructor(policy: UpstreamTls, host: string) {
    this.#policy = policy;
    this.#identity = policy.serverName ?? host;
    this.#context = secureContextOf(policy);
  }

  /** `proxyHeader` goes before the ClientHello (proxy-protocol.txt §2); null: nothing does. */
  connect(to: SocketAddress, { onread, proxyHeader }: TlsConnectOptions): TLSSocket {
    const session = this.#session !== null && Date.now() < this.#sessionUntil ? this.#session : undefined;
    const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
      ...(proxyHeader === null ? to : { socket: openedWith(proxyHeader, to) }),
      onread,
      secureContext: this.#context,
      rejectUnauthorized: true,
      servername: this.#policy.serverName ?? '',
      ALPNProtocols: ['http/1.1'],
      // Node asks on full handshakes only: a session that resumes passed them once, under the same policy.
      checkServerIdentity: (_name, certificate) => this.#check(certificate),
      ...(session !== undefined && { session }),
    };
    const socket = tls.connect(options).setNoDelay(true);
    this.#keepSessions(socket);
    return socket;
  }

  /** Node holds sessions back until the handshake is over and whom it was with was checked. */
  #keepSessions(socket: TLSSocket): void {
    let until = 0;
    socket.once('secureConnect', () => {
      // Asked here: Node 24 knows no certificate while it tells of a session.
      const { validTo } = socket.getPeerX509Certificate() ?? {};
      if (validTo !== undefined) until = Math.min(Date.now() + SESSION_MS, Date.parse(validTo));
    });
    socket.on('session', (session) => {
      this.#session = session;
      // One that resumed lends its successor no new time.
      if (!socket.isSessionReused()) this.#sessionUntil = until;
    });
  }

  #check(certificate: PeerCertificate): Error | undefined {
    const mismatch = tls.checkServerIdentity(this.#identity, certificate);
    if (mismatch !== undefined) return mismatch;
    const { pins } = this.#policy;
    if (pins === null || pathOf(certificate).some((link) => pins.includes(pinOf(link)))) return undefined;
    return Object.assign(new Error('no certificate of the path has a pinned key'), { code: 'PIN_MISMATCH' });
  }
}

/** The header is written in the socket's first listener; TLS begins in a later one. */
function openedWith(proxyHeader: Buffer, to: SocketAddress): net.Socket {
  const socket = net.connect({ ...to, noDelay: true });
  return socket.once('connect', () => socket.write(proxyHeader));
}

/**
 * The leaf and, as far as each signed the one before it, the CAs above. The signatures are looked at because Node
 * finds issuers by name among what the server sent: it could send along whatever bears the right name.
 */
function pathOf(certificate: PeerCertificate): X509Certificate[] {
  const path = [new X509Certificate(certificate.raw)];
  let above = (certificate as tls.DetailedPeerCertificate).issuerCertificate;
  for (let below = certificate; above !== undefined && above !== below; above = above.issuerCertificate) {
    const issuer = new X509Certificate(above.raw);
    if (!path.at(-1)?.verify(issuer.publicKey)) break;
    path.push(issuer);
    below = above;
  }
  return path;
}

function pinOf({ publicKey }: X509Certificate): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64');
}
