/** The answer to a caller that speaks HTTP without TLS: as nginx gives it, so that operators know it. */

const body = 'The plain HTTP request was sent to HTTPS port\n';

/** `connId` finds the connection's record again. Its caller closes the connection behind it. */
export function plainHttpAnswer(connId: string): Buffer {
  return Buffer.from(
    'HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n' +
      `Content-Length: ${body.length}\r\nX-Request-Id: ${connId}\r\nCache-Control: no-store\r\n` +
      `Connection: close\r\n\r\n${body}`,
    'latin1',
  );
}
