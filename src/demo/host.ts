/** An example EHI host: acknowledges and approves every message, whatever its content. */
import { createServer, type Server } from 'node:http';

const acknowledgement = `${JSON.stringify({ Acknowledgement: '1', Responsestatus: '00' })}\n`;

export function createExampleHost(): Server {
  return createServer((request, response) => {
    request.resume().on('end', () => {
      // Mandatory in the EHI guide: EHI does not support chunked responses.
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(acknowledgement),
      });
      response.end(acknowledgement);
    });
  });
}
