/** The TLS options of the peers on `https.createServer`. */
import type { ServerOptions } from 'node:https';
import type { PeerNeeds } from './peer.ts';

export function serverTls({ certificates }: Pick<PeerNeeds, 'certificates'>): ServerOptions {
  return {
    cert: certificates.server.chain,
    key: certificates.server.key,
    ca: [certificates.root, certificates.issuing],
    requestCert: true,
    rejectUnauthorized: true,
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES128-GCM-SHA256',
    honorCipherOrder: true,
  };
}
