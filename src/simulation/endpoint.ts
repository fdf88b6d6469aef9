/** The endpoint of a simulation: its address, the client's certificate, and how a socket to it is opened. */
import { lookup } from 'node:dns/promises';
import net, { type OnReadOpts } from 'node:net';
import tls, { type SecureContext } from 'node:tls';
import { UnreachableError, UsageError } from '../errors.ts';

export interface TargetOptions {
  /** `https:`, or `http:` for a host without TLS. */
  readonly url: URL;
  /** PEM; null: the authorities that the system trusts. */
  readonly ca: Buffer | null;
  /** PEM of the leaf and the intermediates, and of its key. null: no certificate is sent. */
  readonly identity: { readonly cert: string; readonly key: string; readonly passphrase?: string } | null;
}

export interface Target {
  readonly url: URL;
  /** Of the Host field. */
  readonly authority: string;
  /** Path and query. */
  readonly path: string;
  /** Begins to connect. `onread` gets the decrypted bytes. */
  connect(onread: OnReadOpts): net.Socket;
  /** The event of a socket that says that messages can be sent. */
  readonly openEvent: 'secureConnect' | 'connect';
}

/** Throws UsageError if OpenSSL does not accept the files, UnreachableError if the name does not resolve. */
export async function openTarget({ url, ca, identity }: TargetOptions): Promise<Target> {
  const isSecure = url.protocol === 'https:';
  const secureContext = isSecure ? contextOf(ca, identity) : null;
  const name = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port === '' ? (isSecure ? 443 : 80) : url.port);
  const address = net.isIP(name) === 0 ? await resolve(name, url) : name;
  const connect = (onread: OnReadOpts) =>
    secureContext === null
      ? net.connect({ host: address, port, noDelay: true, onread })
      : tls
          .connect({
            host: address,
            port,
            onread,
            secureContext,
            ALPNProtocols: ['http/1.1'],
            // RFC 6066 §3: an IP address is no server name. Node compares the certificate with `host` then.
            servername: net.isIP(name) === 0 ? name : '',
          } as tls.ConnectionOptions)
          .setNoDelay(true);
  const openEvent = isSecure ? 'secureConnect' : 'connect';
  return { url, authority: url.host, path: url.pathname + url.search, connect, openEvent };
}

function contextOf(ca: Buffer | null, identity: TargetOptions['identity']): SecureContext {
  try {
    return tls.createSecureContext({
      ca: ca ?? tls.getCACertificates('system'),
      ...(identity ?? {}),
      minVersion: 'TLSv1.2',
    });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new UsageError(
      `--ca, --cert or --key: found content that OpenSSL refuses (${code}); allowed PEM files, and the key of the certificate`,
      cause,
    );
  }
}

async function resolve(name: string, url: URL): Promise<string> {
  try {
    return (await lookup(name)).address;
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new UnreachableError(
      `${url.origin} cannot be reached: the name ${name} does not resolve (${code})`,
    );
  }
}

/** What the first connection negotiated: `TLSv1.3 TLS_AES_256_GCM_SHA384`, or `no TLS`. */
function describeSocket(socket: net.Socket): string {
  if (!(socket instanceof tls.TLSSocket)) return 'no TLS';
  return `${socket.getProtocol() ?? 'TLS'} ${socket.getCipher()?.standardName ?? ''}`.trim();
}

/**
 * Opens one connection and closes it again, so that an endpoint that cannot be reached is reported before the first
 * message. Resolves with what it negotiated; throws UnreachableError.
 */
export function contact(target: Target, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = target.connect({ buffer: Buffer.alloc(4096), callback: () => true });
    const fail = (reason: string, cause?: unknown) => {
      socket.destroy();
      reject(new UnreachableError(`${target.url.origin} cannot be reached: ${reason}`, cause));
    };
    const timer = setTimeout(() => fail(`no connection within ${timeout} ms`), timeout);
    socket.on('error', (error) => {
      clearTimeout(timer);
      fail(reasonOf(error), error);
    });
    socket.once(target.openEvent, () => {
      clearTimeout(timer);
      resolve(describeSocket(socket));
      socket.end();
    });
    socket.once('close', () => {
      clearTimeout(timer);
      fail('the connection ended before it was open');
    });
  });
}

/** A sentence for the errors that are frequent; else the code alone, because a message may contain foreign text. */
function reasonOf(error: NodeJS.ErrnoException): string {
  const code = error.code ?? 'unknown';
  const known: Readonly<Record<string, string>> = {
    ECONNREFUSED: 'nothing listens there',
    ECONNRESET: 'the connection was reset',
    EHOSTUNREACH: 'there is no route to the host',
    UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      'its certificate is not issued by an authority of --ca, or else of the system',
    UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
      'its certificate is not issued by an authority of --ca, or else of the system',
    SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not issued by an authority of --ca, or else of the system',
    DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed, and not in --ca',
    CERT_HAS_EXPIRED: 'its certificate has expired',
    ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate has another name than the URL',
    ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS',
    ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS',
  };
  return known[code] === undefined ? code : `${known[code]} (${code})`;
}
