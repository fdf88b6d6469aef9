/** The response to an HTTP request without TLS; it has nginx's text, which operators know. */

const body = 'The plain HTTP request was sent to HTTPS port\n';

/** `connId` identifies the connection's audit record. The connection must be closed after it. */
export function plainHttpResponse(connId: string): Buffer {
  return Buffer.from(
    'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n' +
      `Content-Length: ${body.length}\r\nX-Request-Id: ${connId}\r\nCache-Control: no-store\r\n` +
      `Connection: close\r\n\r\n${body}`,
    'latin1',
  );
}
