/** The gateway's own answers: short, without a reason, and nothing that resembles an acknowledgement. */
import { STATUS_CODES } from 'node:http';

/** The title that nginx made familiar, and that the acceptance test of Thredd's guide looks for. */
const noCertificate = '400 No required SSL certificate was sent';

interface ErrorResponseOptions {
  readonly status: number;
  readonly requestId: string;
  /** The connection ends after this answer. */
  readonly close: boolean;
  /** The answer is to HEAD. */
  readonly bodyless?: boolean;
}

/** An error over JSON: `{"error": …, "request_id": …}`. */
export function errorResponse(options: ErrorResponseOptions): Buffer {
  const error = (STATUS_CODES[options.status] ?? 'Error').toLowerCase().replaceAll(' ', '_');
  const body = `${JSON.stringify({ error, request_id: options.requestId })}\n`;
  return write(options, { type: 'application/json', body });
}

/** The page for a caller who may not come in: it does not say why. */
export function refusalPage(options: ErrorResponseOptions & { readonly status: 400 | 403 }): Buffer {
  const title = options.status === 400 ? noCertificate : '403 Forbidden';
  const body =
    `<!DOCTYPE html>\n<html><head><title>${title}</title></head>` +
    `<body><h1>${title}</h1><p>Request ${options.requestId}</p></body></html>\n`;
  return write(options, { type: 'text/html; charset=utf-8', body });
}

function write(options: ErrorResponseOptions, content: { type: string; body: string }): Buffer {
  const { status, requestId, close, bodyless } = options;
  // RFC 9110 §10.2.3: what is too much now may be served in a second, or by the replica beside this one.
  const retry = status === 503 ? 'Retry-After: 1\r\n' : '';
  return Buffer.from(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: ${content.type}\r\n` +
      `Content-Length: ${content.body.length}\r\nX-Request-Id: ${requestId}\r\nCache-Control: no-store\r\n` +
      `${retry}${close ? 'Connection: close\r\n' : ''}\r\n${bodyless ? '' : content.body}`,
    'latin1',
  );
}
