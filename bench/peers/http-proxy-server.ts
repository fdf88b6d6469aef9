/** The process of the http-proxy baseline; it gets its certificates and its host from its parent. */
import { once } from 'node:events';
import { Agent } from 'node:http';
import { createServer } from 'node:https';
import httpProxy from 'http-proxy';
import type { PeerNeeds } from './peer.ts';
import { serverTls } from './server-tls.ts';

const [needs] = (await once(process, 'message')) as [PeerNeeds];
const proxy = httpProxy.createProxyServer({
  target: `http://127.0.0.1:${needs.upstream}`,
  agent: new Agent({ keepAlive: true, maxSockets: 64 }),
});
const server = createServer(serverTls(needs), (request, response) =>
  proxy.web(request, response, {}, (error) => {
    response.writeHead(502).end(error.message);
  }),
);
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
});
process.on('disconnect', () => process.exit());
