/** One TLS connection to the endpoint, and one HTTP request on it: measures, and judges nothing. */
import { constants } from 'node:crypto';
import { connect, type SecureVersion, type TLSSocket } from 'node:tls';
import { type Wait, waitFor } from '../probe/deadline.ts';
import { type KeyType, schemesFor } from '../probe/key-type.ts';
import { type Answer, type ExchangeOptions, exchange } from './exchange.ts';
import { closedCode, cutCode, errorOf, type Failure, failureOf, silentCode } from './failure.ts';

/** A certificate with its chain, and its key. */
export interface Identity {
  /** PEM. */
  readonly cert: string;
  /** PEM: a secret. */
  readonly key: string;
  /** Of the key: a secret. */
  readonly passphrase?: string;
}

/** `timeoutMs` is for each phase: connection and handshake, response. */
export interface AttemptOptions extends ExchangeOptions {
  /** The address that accepts connections. */
  readonly address: string;
  /** PEM certificates that OpenSSL verifies the server with. */
  readonly anchors?: readonly string[];
  readonly identity?: Identity;
  /** Of an earlier attempt. */
  readonly session?: Buffer;
  readonly version?: SecureVersion;
  /** Of the server's certificate; default: the server chooses. */
  readonly keyType?: KeyType;
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

export interface Attempt {
  readonly handshake: Handshake | null;
  readonly answer: Answer | null;
  readonly failure: Failure | null;
  /** The last session that the server issued. */
  readonly session: Buffer | null;
}

/** Never rejects for what the endpoint does. */
export async function attempt(options: AttemptOptions): Promise<Attempt> {
  const wait = waitFor(options);
  if (wait.ms === 0) return cut;
  const socket = connect(connectionOptions(options));
  // Not before: connect() first reads the anchors, which is no time of the endpoint.
  const began = performance.now();
  let session: Buffer | null = null;
  socket.on('session', (issued: Buffer) => {
    session = issued;
  });
  const result = (rest: Pick<Attempt, 'handshake' | 'answer' | 'failure'>): Attempt => ({ ...rest, session });
  try {
    const failed = await handshakeOf(socket, wait);
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

/** Not begun. */
const cut: Attempt = {
  ...{ handshake: null, answer: null, session: null },
  failure: failureOf('handshake', errorOf(cutCode)),
};

/** Whatever the endpoint offers is accepted: what is too weak is judged elsewhere, and named. */
function connectionOptions({
  target,
  address,
  anchors,
  identity,
  session,
  version,
  keyType,
}: AttemptOptions) {
  const suites = keyType === undefined ? 'ALL' : keyTypeSuites[keyType];
  return {
    host: address,
    port: target.port,
    servername: target.servername ?? '',
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ciphers: `${suites}:@SECLEVEL=0`,
    secureOptions: constants.SSL_OP_LEGACY_SERVER_CONNECT,
    minVersion: version ?? 'TLSv1',
    maxVersion: version ?? 'TLSv1.3',
    ALPNProtocols: ['http/1.1'],
    ...(anchors === undefined ? {} : { ca: [...anchors] }),
    ...(keyType === undefined ? {} : { sigalgs: sigalgsFor(keyType) }),
    ...(identity === undefined ? {} : identity),
    ...(session === undefined ? {} : { session }),
  } as const;
}

/** OpenSSL's names of the suites up to TLS 1.2. */
const keyTypeSuites: Readonly<Record<KeyType, string>> = { RSA: 'aRSA', EC: 'aECDSA' };
/** OpenSSL refuses a list with a scheme that it does not know. */
const unknownToOpenssl = /brainpool|md5/;

function sigalgsFor(keyType: KeyType): string {
  const names = schemesFor(keyType).map(({ name }) => name);
  return names.filter((name) => !unknownToOpenssl.test(name)).join(':');
}

/** null: complete. */
function handshakeOf(socket: TLSSocket, wait: Wait): Promise<Error | null> {
  return new Promise((done) => {
    const timer = setTimeout(() => done(errorOf(wait.isCut ? cutCode : silentCode)), wait.ms);
    const finish = (error: Error | null) => {
      clearTimeout(timer);
      done(error);
    };
    socket.once('secureConnect', () => finish(null));
    socket.once('end', () => finish(errorOf(closedCode)));
    // Stays attached: an alert may also come later, and must not end the process.
    socket.on('error', finish);
    socket.once('close', () => finish(errorOf(closedCode)));
  });
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
