/** The process of the peer `node`: asks for a client certificate, reads the message, and sends a fixed acknowledgement. */
import { once } from 'node:events';
import { createServer } from 'node:https';
import { acknowledgement } from '../message.ts';
import type { PeerNeeds } from './peer.ts';
import { serverTls } from './server-tls.ts';

const [needs] = (await once(process, 'message')) as [PeerNeeds];
const server = createServer(serverTls(needs), (request, response) => {
  request.resume().on('end', () => {
    response.writeHead(200, {
      'Content-Type': 'application/json',
      'Content-Length': acknowledgement.length,
    });
    response.end(acknowledgement);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.send?.({ port: address.port });
});
process.on('disconnect', () => process.exit());
