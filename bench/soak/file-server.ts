/** Entry of a thread that serves files over HTTP, so that serving them does not delay the measurement. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type MessagePort, parentPort } from 'node:worker_threads';

const port = parentPort as MessagePort;
let content: Uint8Array = new Uint8Array();
let version = 0;
port.on('message', (next: Uint8Array) => {
  content = next;
  version++;
});

const server = createServer((request, response) => {
  const etag = `"${version}"`;
  if (request.headers['if-none-match'] === etag) return response.writeHead(304, { etag }).end();
  return response.writeHead(200, { etag, 'content-length': content.length }).end(content);
});
server.listen(0, '127.0.0.1', () => port.postMessage((server.address() as AddressInfo).port));
