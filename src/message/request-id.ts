/** The id of a request, in X-Request-Id of the request to the host and of the gateway's own responses, and in its record. */

/** `count`: from 1 on each connection. */
export function requestIdOf(connId: string, count: number): string {
  return `${connId}.${count}`;
}

/** The field for the host, with its CRLF. One that the client sent was removed before (field-forwarding.ts). */
export function requestIdField(requestId: string): string {
  return `X-Request-Id: ${requestId}\r\n`;
}
