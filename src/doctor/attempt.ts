/** One TLS connection to the endpoint, and one HTTP request on it: measures, and judges nothing. */
import { constants, createHash } from 'node:crypto';
import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import type { Target } from './target.ts';

/** A certificate with its chain, and its key. */
export interface Identity {
  /** PEM. */
  readonly cert: string;
  /** PEM: a secret. */
  readonly key: string;
  /** Of the key: a secret. */
  readonly passphrase?: string;
}

export interface MessageBody {
  readonly bytes: Uint8Array;
  /** `Content-Type` and, for SOAP, `SOAPAction`. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface AttemptOptions {
  readonly target: Target;
  /** The address that accepts connections. */
  readonly address: string;
  /** For each phase: connection and handshake, response. */
  readonly timeoutMs: number;
  readonly body: MessageBody;
  /** PEM certificates that OpenSSL verifies the server with. */
  readonly anchors?: readonly string[];
  readonly identity?: Identity;
  /** Of an earlier attempt. */
  readonly session?: Buffer;
  readonly version?: SecureVersion;
  /** Sends `Expect: 100-continue`, and the body after the interim response. */
  readonly expectContinue?: boolean;
}

export interface Handshake {
  /** From the start of the TCP connection to the end of the TLS handshake. */
  readonly ms: number;
  readonly protocol: string;
  readonly cipher: string;
  readonly resumed: boolean;
  /** OpenSSL's code for the server's chain, such as `CERT_HAS_EXPIRED`; null: it verified. */
  readonly verifyError: string | null;
}

export interface Answer {
  readonly status: number;
  readonly contentType: string | null;
  readonly contentLength: string | null;
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

/** Why an attempt ended without a response. */
export interface Failure {
  readonly stage: 'handshake' | 'response';
  /** OpenSSL's name of the alert that the server sent, such as `certificate required`; null: it sent none. */
  readonly alert: string | null;
  /** A sentence without a subject: `no answer within 5000 ms`. */
  readonly reason: string;
}

export interface Attempt {
  readonly handshake: Handshake | null;
  readonly answer: Answer | null;
  readonly failure: Failure | null;
  /** The last session that the server issued. */
  readonly session: Buffer | null;
}

/** Bytes; the answers of EHI are much smaller. */
const maxBody = 1024 * 1024;
/** .NET's client sends the body after this time without an interim response; a test waits for one no longer. */
export const continueWaitMs = 350;

/** Never rejects for what the endpoint does. */
export async function attempt(options: AttemptOptions): Promise<Attempt> {
  const began = performance.now();
  const socket = connect(connectionOptions(options));
  let session: Buffer | null = null;
  socket.on('session', (issued: Buffer) => {
    session = issued;
  });
  const result = (rest: Pick<Attempt, 'handshake' | 'answer' | 'failure'>): Attempt => ({ ...rest, session });
  try {
    const failed = await handshakeOf(socket, options.timeoutMs);
    if (failed !== null)
      return result({ handshake: null, answer: null, failure: failureOf('handshake', failed) });
    const handshake = describeHandshake(socket, performance.now() - began);
    const answer = await exchange(socket, options);
    if (answer instanceof Error)
      return result({ handshake, answer: null, failure: failureOf('response', answer) });
    return result({ handshake, answer, failure: null });
  } finally {
    socket.destroy();
  }
}

/** Whatever the endpoint offers is accepted: what is too weak is judged elsewhere, and named. */
function connectionOptions({ target, address, anchors, identity, session, version }: AttemptOptions) {
  return {
    host: address,
    port: target.port,
    servername: target.servername ?? '',
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ciphers: 'ALL:@SECLEVEL=0',
    secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
    minVersion: version ?? 'TLSv1',
    maxVersion: version ?? 'TLSv1.3',
    ALPNProtocols: ['http/1.1'],
    ...(anchors === undefined ? {} : { ca: [...anchors] }),
    ...(identity === undefined ? {} : identity),
    ...(session === undefined ? {} : { session }),
  } as const;
}

/** null: complete. */
function handshakeOf(socket: TLSSocket, timeoutMs: number): Promise<Error | null> {
  return new Promise((done) => {
    const timer = setTimeout(() => done(silence(timeoutMs)), timeoutMs);
    const finish = (error: Error | null) => {
      clearTimeout(timer);
      done(error);
    };
    socket.once('secureConnect', () => finish(null));
    socket.once('end', () => finish(new Error('the connection was closed')));
    // Stays attached: an alert may also come later, and must not end the process.
    socket.on('error', finish);
    socket.once('close', () => finish(new Error('the connection was closed')));
  });
}

function silence(timeoutMs: number): Error {
  return new Error(`no answer within ${timeoutMs} ms`);
}

function describeHandshake(socket: TLSSocket, ms: number): Handshake {
  const { authorizationError } = socket;
  return {
    ms,
    protocol: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().standardName,
    resumed: socket.isSessionReused(),
    verifyError: authorizationError ? String(authorizationError) : null,
  };
}

function exchange(socket: TLSSocket, options: AttemptOptions): Promise<Answer | Error> {
  const { target, body, timeoutMs, expectContinue = false } = options;
  return new Promise((done) => {
    const outgoing = request({
      method: 'POST',
      path: target.path,
      setDefaultHeaders: false,
      headers: [
        ['Host', target.authority],
        ['User-Agent', 'ehi-gateway-doctor'],
        ...Object.entries(body.headers),
        ['Content-Length', String(body.bytes.length)],
        ...(expectContinue ? [['Expect', '100-continue'] as const] : []),
        ['Connection', 'close'],
      ].flat(),
      createConnection: () => socket,
    });
    const timer = setTimeout(() => outgoing.destroy(silence(timeoutMs)), timeoutMs);
    const finish = (result: Answer | Error) => {
      clearTimeout(timer);
      done(result);
    };
    const began = performance.now();
    const interim = sendBody(outgoing, { body, expectContinue, began });
    outgoing.on('error', finish);
    outgoing.on('response', (response) => {
      readAnswer(response).then(
        (answer) => finish({ ...answer, ms: performance.now() - began, continueMs: interim() }),
        finish,
      );
    });
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

const reasons: Readonly<Record<string, string>> = {
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  ECONNREFUSED: 'the connection was refused',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the answer is not TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the answer is not TLS',
};

/** Alerts as OpenSSL names them in its error codes: `ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED`. */
const alertCode = /^ERR_SSL_(?:SSL\/?V3|SSLV3|TLSV1|TLSV13)_ALERT_(\w+)$/;

function failureOf(stage: Failure['stage'], error: Error): Failure {
  const { code = '' } = error as NodeJS.ErrnoException;
  const [, alert] = alertCode.exec(code) ?? [];
  if (alert !== undefined) {
    const name = alert.toLowerCase().replaceAll('_', ' ');
    return { stage, alert: name, reason: `the server sent the TLS alert "${name}"` };
  }
  if (error.message === 'socket hang up') return { stage, alert: null, reason: 'the connection was closed' };
  if (code.startsWith('HPE_')) return { stage, alert: null, reason: `the answer is not HTTP (${code})` };
  const known = reasons[code];
  if (known !== undefined) return { stage, alert: null, reason: known };
  return { stage, alert: null, reason: code === '' ? error.message : `the connection failed (${code})` };
}
