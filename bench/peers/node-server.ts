/** The process of the peer `node`: asks for a client certificate, reads the message, and sends a fixed acknowledgement. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import { acknowledgement } from '../message.ts';
import type { PeerNeeds } from './peer.ts';

const [{ certificates }] = (await once(process, 'message')) as [PeerNeeds];
const server = createServer(
  {
    cert: certificates.server.chain,
    key: certificates.server.key,
    ca: [certificates.root, certificates.issuing],
    requestCert: true,
    rejectUnauthorized: true,
    ciphers: 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:ECDHE-RSA-AES128-GCM-SHA256',
    honorCipherOrder: true,
  },
  (request, response) => {
    request.resume().on('end', () => {
      response.writeHead(200, {
        'Content-Type': 'application/json',
        'Content-Length': acknowledgement.length,
      });
      response.end(acknowledgement);
    });
  },
);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
});
process.on('disconnect', () => process.exit());
