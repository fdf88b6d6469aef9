/** TLS to one endpoint: the trust anchors, the gateway's certificate and the session to resume. */
import { createHash, X509Certificate } from 'node:crypto';
import net, { type OnReadOpts } from 'node:net';
import tls, {
  type ConnectionOptions,
  type PeerCertificate,
  type SecureContext,
  type TLSSocket,
} from 'node:tls';
import type { UpstreamTls } from '../policy/snapshot.ts';
import type { SocketAddress } from './addresses.ts';

/** Maximum age of a session, milliseconds: resumption does not verify the certificate again. It also ends with the leaf. */
const SESSION_MS = 3_600_000;

/** Protocol versions for hosts; the cipher suites are Node's default. */
export const upstreamOffer = { minVersion: 'TLSv1.2' } as const;

/** Throws if OpenSSL does not accept the material. */
function secureContextOf({ ca, certificate }: UpstreamTls): SecureContext {
  return tls.createSecureContext({
    ca: ca === null ? tls.getCACertificates('system') : [...ca],
    ...upstreamOffer,
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
  /** The name that the certificate must have: a host name or an IP address. */
  readonly #identity: string;
  readonly #context: SecureContext;
  #session: Buffer | null = null;
  #sessionUntil = 0;

  /** `host`: of the endpoint, as the configuration writes it. */
  constructor(policy: UpstreamTls, host: string) {
    this.#policy = policy;
    this.#identity = policy.serverName ?? host;
    this.#context = secureContextOf(policy);
  }

  /** `proxyHeader` is sent before the ClientHello (proxy-protocol.txt §2); null: none is sent. */
  connect(to: SocketAddress, { onread, proxyHeader }: TlsConnectOptions): TLSSocket {
    const session = this.#session !== null && Date.now() < this.#sessionUntil ? this.#session : undefined;
    const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
      ...(proxyHeader === null ? to : { socket: connectWith(proxyHeader, to) }),
      onread,
      secureContext: this.#context,
      rejectUnauthorized: true,
      servername: this.#policy.serverName ?? '',
      ALPNProtocols: ['http/1.1'],
      // Node calls this on full handshakes only: a resumed session has passed it once, under the same policy.
      checkServerIdentity: (_name, certificate) => this.#check(certificate),
      ...(session !== undefined && { session }),
    };
    const socket = tls.connect(options).setNoDelay(true);
    this.#keepSessions(socket);
    return socket;
  }

  /** Node emits sessions only after the handshake is complete and the host's identity is verified. */
  #keepSessions(socket: TLSSocket): void {
    let until = 0;
    socket.once('secureConnect', () => {
      // Read here, because Node 24 has no certificate during the `session` event.
      const { validTo } = socket.getPeerX509Certificate() ?? {};
      if (validTo !== undefined) until = Math.min(Date.now() + SESSION_MS, Date.parse(validTo));
    });
    socket.on('session', (session) => {
      this.#session = session;
      // A session from a resumed connection does not extend the time.
      if (!socket.isSessionReused()) this.#sessionUntil = until;
    });
  }

  #check(certificate: PeerCertificate): Error | undefined {
    const mismatch = tls.checkServerIdentity(this.#identity, certificate);
    if (mismatch !== undefined) return mismatch;
    const { pins } = this.#policy;
    if (pins === null || pathOf(certificate).some((one) => pins.includes(pinOf(one)))) return undefined;
    return Object.assign(new Error('no certificate of the path has a pinned key'), { code: 'PIN_MISMATCH' });
  }
}

/** The header is written in the socket's first `connect` listener; TLS begins in a later one. */
function connectWith(proxyHeader: Buffer, to: SocketAddress): net.Socket {
  const socket = net.connect({ ...to, noDelay: true });
  return socket.once('connect', () => socket.write(proxyHeader));
}

/**
 * The leaf and the CAs above it, as far as each one signed the one before. The signatures are verified because Node finds
 * issuers by name among the certificates that the host sent: the host could send any certificate with that name.
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
