/** The process of the http-proxy baseline; it gets its certificates and its host from its parent. */
import { once } from 'node:events';
import { Agent } from 'node:http';
import { createServer } from 'node:https';
import httpProxy from 'http-proxy';
import type { PeerNeeds } from './peer.ts';

const [{ certificates, upstream }] = (await once(process, 'message')) as [PeerNeeds];
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${upstream}`,
  agent: new Agent({ keepAlive: true, maxSockets: 64 }),
});
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
  (request, response) =>
    proxy.web(request, response, {}, (error) => {
      response.writeHead(502).end(error.message);
    }),
);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
});
process.on('disconnect', () => process.exit());
