/** A certificate directory: serves files by path over HTTPS with ETags, like the download server of a CA. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';

/** Path, with leading slash → content. The map may change while it is served. */
export type DirectoryFiles = ReadonlyMap<string, string | Uint8Array>;

export function createDirectory(options: { cert: string; key: string; files: DirectoryFiles }): Server {
  const { cert, key, files } = options;
  return createServer({ cert, key }, (request, response) => serveFile(files, request, response));
}

export function serveFile(files: DirectoryFiles, request: IncomingMessage, response: ServerResponse): void {
  const content = files.get(request.url ?? '');
  if (content === undefined || request.method !== 'GET') {
    response.writeHead(404, { 'content-length': 0 }).end();
    return;
  }
  const etag = `"${createHash('sha256').update(content).digest('hex').slice(0, 32)}"`;
  if (request.headers['if-none-match'] === etag) {
    response.writeHead(304, { etag }).end();
    return;
  }
  response.writeHead(200, {
    etag,
    'content-type': request.url?.endsWith('.crl') ? 'application/pkix-crl' : 'application/x-pem-file',
    'content-length': Buffer.byteLength(content),
  });
  response.end(content);
}
