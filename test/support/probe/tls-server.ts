/** A TLS server of Node with any settings, weak ones too. */
import { createServer, type TlsOptions } from 'node:tls';
import type { Authority } from '../pki/authority.ts';
import { type Listening, listenOnLoopback } from '../process/listening.ts';

/** By default TLS 1.0 to 1.3 with every suite, and a certificate of the authority. */
export function openTlsServer(ca: Authority, options: TlsOptions = {}): Promise<Listening> {
  const { chainPem, keyPem } = ca.issueServer();
  const server = createServer({
    cert: chainPem,
    key: keyPem,
    minVersion: 'TLSv1',
    ciphers: 'ALL:@SECLEVEL=0',
    ...options,
  });
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (socket) => socket.on('error', () => {}));
  return listenOnLoopback(server);
}

/** Asks for a client certificate of the authority, and accepts a client without one. */
export function asking(ca: Authority): TlsOptions {
  return { requestCert: true, rejectUnauthorized: false, ca: [ca.root.pem, ca.issuing.pem] };
}
