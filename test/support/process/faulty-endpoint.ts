/** An HTTPS endpoint as Thredd's guide wants it, on loopback, with single properties replaced by faults. */
import { constants, X509Certificate } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import { createServer, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Authority, authority, type Leaf } from '../pki/authority.ts';
import { type Listening, listenOnLoopback } from './listening.ts';

export interface EndpointOptions {
  /** Issues server and clients. */
  readonly pki?: Authority;
  /** The server's certificate; default: one of `pki` for 127.0.0.1. */
  readonly server?: Pick<Leaf, 'chainPem' | 'keyPem'>;
  /** Replaces the TLS options of the same name. */
  readonly tls?: ServerOptions;
  /** Whether a peer may send messages; default: it has a certificate of `pki`. */
  readonly admits?: (peer: X509Certificate | undefined, socket: TLSSocket) => boolean;
  readonly answer?: (response: ServerResponse) => void;
  /** Before the TLS handshake. */
  readonly delayMs?: number;
}

const suites = [
  ...['TLS_AES_128_GCM_SHA256', 'TLS_AES_256_GCM_SHA384'],
  ...['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'],
].join(':');

export const goodTls = {
  requestCert: true,
  rejectUnauthorized: false,
  minVersion: 'TLSv1.2',
  ciphers: suites,
  honorCipherOrder: true,
  sigalgs: 'rsa_pss_rsae_sha256:rsa_pkcs1_sha256:ecdsa_secp256r1_sha256',
  secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  sessionIdContext: 'endpoint',
} as const satisfies ServerOptions;

export async function openEndpoint(
  options: EndpointOptions = {},
): Promise<Listening & { readonly url: string }> {
  const { pki = authority(), delayMs } = options;
  const { server = pki.issueServer(), tls, answer = acknowledge } = options;
  const issuing = new X509Certificate(pki.issuing.der);
  const { admits = (peer) => peer?.verify(issuing.publicKey) === true } = options;
  const listener: RequestListener = (request, response) => {
    const socket = request.socket as TLSSocket;
    const peer = socket.getPeerX509Certificate();
    readAll(request, () => (admits(peer, socket) ? answer(response) : refuse(response)));
  };
  const https = createHttpsServer(
    { ...goodTls, cert: server.chainPem, key: server.keyPem, ca: [pki.root.pem, pki.issuing.pem], ...tls },
    listener,
  );
  https.on('tlsClientError', () => {});
  const listening = await listenOnLoopback(delayMs === undefined ? https : delayed(https, delayMs));
  return { ...listening, url: `https://127.0.0.1:${listening.port}/` };
}

function readAll(request: IncomingMessage, done: () => void): void {
  request.resume().on('end', done);
}

function acknowledge(response: ServerResponse): void {
  const body = '{"Acknowledgement":"1"}';
  response.writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length }).end(body);
}

function refuse(response: ServerResponse): void {
  response.writeHead(400, { 'Content-Type': 'text/plain', 'Content-Length': 0 }).end();
}

function delayed(https: ReturnType<typeof createHttpsServer>, ms: number) {
  return createServer({ pauseOnConnect: true }, (socket: Socket) => {
    setTimeout(() => {
      https.emit('connection', socket);
      socket.resume();
    }, ms);
  });
}
