/** One HTTP request on a TLS connection, and what of its response is kept. */
import { createHash } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { type Deadline, waitFor } from '../probe/deadline.ts';
import { cutCode, errorOf, silentCode } from './failure.ts';
import type { Target } from './target.ts';

export interface MessageBody {
  readonly bytes: Uint8Array;
  /** `Content-Type` and, for SOAP, `SOAPAction`. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string | null;
  readonly contentLength: string | null;
  /** The value of `WWW-Authenticate`. */
  readonly challenge: string | null;
  readonly chunked: boolean;
  readonly bodyBytes: number;
  readonly bodySha256: string;
  /** The value of `Acknowledgement` in a JSON response, if it is a number or a short string; else null. */
  readonly acknowledgement: string | null;
  /** From the last byte of the request head to the last byte of the response. */
  readonly ms: number;
  /** From the request head to `100 Continue`; null: none came. */
  readonly continueMs: number | null;
}

/** Bytes; the answers of EHI are much smaller. */
const maxBody = 1024 * 1024;
/** .NET's client sends the body after this time without an interim response; a test waits for one no longer. */
export const continueWaitMs = 350;

export interface ExchangeOptions {
  readonly target: Target;
  readonly body: MessageBody;
  readonly timeoutMs: number;
  /** Of the whole examination. */
  readonly deadline?: Deadline;
  /** An access token, for `Authorization: Bearer`: a secret. */
  readonly token?: string;
  /** Sends `Expect: 100-continue`, and the body after the interim response. */
  readonly expectContinue?: boolean;
}

/** Resolves with the error if there is no whole response; it has the `status` if at least the head came. */
export function exchange(socket: TLSSocket, options: ExchangeOptions): Promise<Answer | Error> {
  const { body, expectContinue = false } = options;
  const wait = waitFor(options);
  return new Promise((done) => {
    let outgoing: ClientRequest;
    try {
      outgoing = beginRequest(socket, options);
    } catch (error) {
      // Node refuses fields that contradict each other.
      return done(error as Error);
    }
    let status: number | undefined;
    const finish = (result: Answer | Error) => {
      clearTimeout(timer);
      done(result instanceof Error ? Object.assign(result, { status }) : result);
    };
    const timer = setTimeout(() => {
      finish(errorOf(wait.isCut ? cutCode : silentCode));
      outgoing.destroy();
    }, wait.ms);
    const began = performance.now();
    const interim = sendBody(outgoing, { body, expectContinue, began });
    outgoing.on('error', finish);
    outgoing.on('response', (response) => {
      status = response.statusCode;
      readAnswer(response).then(
        (answer) => finish({ ...answer, ms: performance.now() - began, continueMs: interim() }),
        finish,
      );
    });
  });
}

function beginRequest(socket: TLSSocket, options: ExchangeOptions): ClientRequest {
  const { target, body, token, expectContinue = false } = options;
  return request({
    method: 'POST',
    path: target.path,
    setDefaultHeaders: false,
    headers: [
      ['Host', target.authority],
      ['User-Agent', 'ehi-gateway-doctor'],
      ...Object.entries(body.headers),
      ...(token === undefined ? [] : [['Authorization', `Bearer ${token}`] as const]),
      ['Content-Length', String(body.bytes.length)],
      ...(expectContinue ? [['Expect', '100-continue'] as const] : []),
      ['Connection', 'close'],
    ].flat(),
    createConnection: () => socket,
  });
}

/** Returns the time of the interim response. */
function sendBody(
  outgoing: ClientRequest,
  options: { readonly body: MessageBody; readonly expectContinue: boolean; readonly began: number },
): () => number | null {
  const { body, expectContinue, began } = options;
  let continueMs: number | null = null;
  if (!expectContinue) {
    outgoing.end(body.bytes);
    return () => null;
  }
  outgoing.flushHeaders();
  const timer = setTimeout(() => outgoing.end(body.bytes), continueWaitMs);
  outgoing.on('continue', () => {
    continueMs ??= performance.now() - began;
    clearTimeout(timer);
    if (!outgoing.writableEnded) outgoing.end(body.bytes);
  });
  outgoing.on('close', () => clearTimeout(timer));
  return () => continueMs;
}

async function readAnswer(response: IncomingMessage): Promise<Omit<Answer, 'ms' | 'continueMs'>> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of response as AsyncIterable<Buffer>) {
    length += piece.length;
    if (length > maxBody) throw new Error(`a response of more than ${maxBody} bytes`);
    pieces.push(piece);
  }
  const bytes = Buffer.concat(pieces);
  const { headers, statusCode = 0 } = response;
  return {
    status: statusCode,
    contentType: headers['content-type'] ?? null,
    contentLength: headers['content-length'] ?? null,
    challenge: headers['www-authenticate'] ?? null,
    chunked: headers['transfer-encoding'] !== undefined,
    bodyBytes: bytes.length,
    bodySha256: createHash('sha256').update(bytes).digest('hex'),
    acknowledgement: acknowledgementIn(bytes),
  };
}

/** Nothing else of a response is kept: it may hold card data. */
function acknowledgementIn(bytes: Buffer): string | null {
  try {
    const { Acknowledgement: value } = JSON.parse(bytes.toString('utf8')) as { Acknowledgement?: unknown };
    const isPlain = typeof value === 'number' || typeof value === 'string';
    return isPlain && /^[\w-]{1,8}$/.test(String(value)) ? String(value) : null;
  } catch {
    return null;
  }
}
