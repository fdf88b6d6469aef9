/** Whether a server renegotiates when a client asks for it (RFC 5246 §7.4.1.1), up to TLS 1.2. */
import { constants } from 'node:crypto';
import { connect, type TLSSocket } from 'node:tls';
import { waitFor } from './deadline.ts';
import type { Endpoint } from './endpoint.ts';

export type Renegotiation =
  /** A second handshake was done. */
  | { readonly kind: 'accepted' }
  /** The server sent no_renegotiation, ended the connection, or did nothing within the limit. */
  | { readonly kind: 'refused' }
  /** No handshake of TLS 1.2 or older. `reason`: a clause for a report. */
  | { readonly kind: 'unknown'; readonly reason: string };

/** Does one full handshake, without a client certificate, and asks for another one. Verifies nothing. */
export function probeRenegotiation(endpoint: Endpoint): Promise<Renegotiation> {
  const { host, port, servername } = endpoint;
  const wait = waitFor(endpoint);
  if (wait.ms === 0) return Promise.resolve(untried);
  const socket = connect({
    host,
    port,
    servername: servername ?? '',
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    minVersion: 'TLSv1',
    maxVersion: 'TLSv1.2',
    ciphers: 'ALL:@SECLEVEL=0',
    secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
  });
  return new Promise((done) => {
    let isOpen = false;
    const finish = (result: Renegotiation) => {
      clearTimeout(timer);
      socket.destroy();
      done(result);
    };
    const fail = (reason: string) => finish(isOpen ? { kind: 'refused' } : { kind: 'unknown', reason });
    const timer = setTimeout(() => (wait.isCut ? finish(untried) : fail('no answer in time')), wait.ms);
    socket.on('error', (error) => fail(reasonOf(error)));
    socket.once('end', () => fail('the server closed the connection'));
    socket.once('close', () => fail('the server closed the connection'));
    socket.once('secureConnect', () => {
      isOpen = true;
      renegotiate(socket, finish);
    });
    socket.resume();
  });
}

const untried: Renegotiation = { kind: 'unknown', reason: 'the time for all connections was over' };

function renegotiate(socket: TLSSocket, finish: (result: Renegotiation) => void): void {
  socket.renegotiate({}, (error) => finish({ kind: error === null ? 'accepted' : 'refused' }));
}

function reasonOf(error: NodeJS.ErrnoException): string {
  return `no handshake up to TLS 1.2 (${error.code ?? 'unknown error'})`;
}
