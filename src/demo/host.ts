/** An example EHI host: acknowledges every message and says yes, whatever is in it. */
import { createServer, type Server } from 'node:http';

const acknowledgement = `${JSON.stringify({ Acknowledgement: '1', Responsestatus: '00' })}\n`;

export function createExampleHost(): Server {
  return createServer((request, response) => {
    request.resume().on('end', () => {
      // The guide lists both as mandatory: EHI does not read chunked answers.
      response.writeHead(200, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(acknowledgement),
      });
      response.end(acknowledgement);
    });
  });
}
