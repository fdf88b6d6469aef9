/** Responses of the gateway itself. They state no reason, and never resemble a host's acknowledgement. */
import { STATUS_CODES } from 'node:http';

/** The title of nginx's page, which the acceptance test in Thredd's guide expects. */
const noCertificate = '400 No required SSL certificate was sent';

interface ErrorResponseOptions {
  readonly status: number;
  readonly requestId: string;
  /** The connection closes after this response. */
  readonly close: boolean;
  /** The response is to HEAD: headers only. */
  readonly bodyless?: boolean;
  /** The value of WWW-Authenticate; absent or null: no such field. */
  readonly challenge?: string | null;
}

/** An error as JSON: `{"error": …, "request_id": …}`. */
export function errorResponse(options: ErrorResponseOptions): Buffer {
  const error = (STATUS_CODES[options.status] ?? 'Error').toLowerCase().replaceAll(' ', '_');
  const body = `${JSON.stringify({ error, request_id: options.requestId })}\n`;
  return write(options, { type: 'application/json', body });
}

/** The HTML page for a client that was refused. It does not state why. */
export function refusalPage(options: ErrorResponseOptions & { readonly status: 400 | 403 }): Buffer {
  const title = options.status === 400 ? noCertificate : '403 Forbidden';
  const body =
    `<!DOCTYPE html>\n<html><head><title>${title}</title></head>` +
    `<body><h1>${title}</h1><p>Request ${options.requestId}</p></body></html>\n`;
  return write(options, { type: 'text/html; charset=utf-8', body });
}

function write(options: ErrorResponseOptions, content: { type: string; body: string }): Buffer {
  const { status, requestId, close, bodyless, challenge = null } = options;
  // RFC 9110 §10.2.3: in a second this relay thread, or another replica, may have capacity.
  const retry = status === 503 ? 'Retry-After: 1\r\n' : '';
  const authenticate = challenge === null ? '' : `WWW-Authenticate: ${challenge}\r\n`;
  return Buffer.from(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${content.type}\r\n` +
      `Content-Length: ${content.body.length}\r\nX-Request-Id: ${requestId}\r\nCache-Control: no-store\r\n` +
      `${authenticate}${retry}${close ? 'Connection: close\r\n' : ''}\r\n${bodyless ? '' : content.body}`,
    'latin1',
  );
}
