/** Entry of a process: a host that acknowledges, and answers `/attack/large` with a large response. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const acknowledgement = JSON.stringify({ Acknowledgement: '1', Responsestatus: '00' });
const large = Buffer.alloc(1024 * 1024, 'x');

const server = createServer(
  { noDelay: true, keepAliveTimeout: 60_000, requestTimeout: 0 },
  (request, response) => {
    request.resume().once('end', () => {
      const body = request.url === '/attack/large' ? large : acknowledgement;
      response
        .writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': body.length })
        .end(body);
    });
  },
);
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit());
