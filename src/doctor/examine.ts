/** Examines an endpoint: measures step by step, and has each fact judged. Start reading here. */
import type { SecureVersion } from 'node:tls';
import { Deadline } from '../probe/deadline.ts';
import type { TcpConnection } from '../probe/reach.ts';
import { measureAdmission } from './admission.ts';
import { type AttemptOptions, attempt, type Identity } from './attempt.ts';
import { isCaName } from './ca-name.ts';
import { tolerate } from './check.ts';
import type { MessageBody } from './exchange.ts';
import { type Expectations, type Findings, judge, judgeSilence, type Measured, nothing } from './judge.ts';
import { measureLatency } from './latency.ts';
import { measureMessage } from './message.ts';
import { measureReach, reachableAddress, reachChecks } from './reach.ts';
import type { Report } from './report.ts';
import { measureSignature, type SignatureFields, signedBody } from './signature.ts';
import type { Target } from './target.ts';
import { measureTls, type TlsFacts } from './tls-facts.ts';
import { measureToken } from './token.ts';

export interface ExamineOptions extends Omit<Expectations, 'expectedName'> {
  readonly target: Target;
  /** Of a client that the endpoint accepts; null: none was given. */
  readonly identity: Identity | null;
  /** An access token that the endpoint accepts with `identity`: a secret; null: none was given. */
  readonly token: string | null;
  /** Another client that the endpoint accepts; null: none was given. */
  readonly other: Identity | null;
  readonly body: MessageBody;
  /** The fields that sign `body`; null: none were given. */
  readonly signature: SignatureFields | null;
  /** Tries for the latency. */
  readonly count: number;
  /** For each answer of the endpoint. */
  readonly timeoutMs: number;
  /** For the whole examination: what is not measured by then is not judged. */
  readonly maxTimeMs: number;
  /** Of ehi-gateway, for the report. */
  readonly version: string;
  /** Called with what is done next, for a reader who waits. */
  readonly onStep: (text: string) => void;
}

/** Resolves with a report whatever the endpoint does; `address` is null if no address accepts connections. */
export async function examine(options: ExamineOptions): Promise<Report> {
  const { target, timeoutMs, maxTimeMs, onStep } = options;
  const began = performance.now();
  const deadline = new Deadline(maxTimeMs);
  onStep(`connecting to ${target.host}`);
  const reach = await measureReach({ host: target.host, port: target.port, timeoutMs, deadline });
  const connection = reachableAddress(reach);
  const findings = connection === null ? nothing : await examineTls({ ...options, deadline }, connection);
  return {
    ...findings,
    ...{ url: target.url, address: connection?.address ?? null, name: target.expectedName },
    ...{ at: new Date(options.now), version: options.version, durationMs: performance.now() - began },
    checks: tolerate([...reachChecks(reach), ...findings.checks], options.tolerated),
  };
}

type Examination = ExamineOptions & { readonly deadline: Deadline };

async function examineTls(options: Examination, connection: TcpConnection): Promise<Findings> {
  const { target, timeoutMs, deadline, onStep } = options;
  const { address, ms: roundTripMs } = connection;
  const { servername, port, expectedName } = target;
  const tls = await measureTls({
    endpoint: { host: address, port, servername, timeoutMs, deadline },
    onStep,
  });
  if (!('sent' in tls)) return judgeSilence(tls);
  const connections = await measureConnections(options, { address, tls });
  return judge({ tls, roundTripMs, ...connections }, { ...options, expectedName });
}

/** Whole connections, with requests, as clients make them. */
async function measureConnections(
  options: Examination,
  { address, tls }: { readonly address: string; readonly tls: TlsFacts },
): Promise<Pick<Measured, 'admission' | 'message' | 'token' | 'signature' | 'tries' | 'byKeyType'>> {
  const { target, timeoutMs, deadline, body, anchors, identity, token, other, count, onStep } = options;
  const { signature } = options;
  const stranger: AttemptOptions = { target, timeoutMs, deadline, body, address, anchors: anchors.pem };
  const unsigned: AttemptOptions = {
    ...stranger,
    ...(identity === null ? {} : { identity }),
    ...(token === null ? {} : { token }),
  };
  const client = signature === null ? unsigned : { ...unsigned, body: signedBody(body, signature) };
  const byKeyType = tls.otherSent === null ? null : await measureBoth(stranger);
  onStep('trying to get in without a certificate, and with wrong ones');
  const admission = await measureAdmission({
    attempt: stranger,
    caName: firstCaName(tls),
    versions: resumable.filter(([name]) => tls.protocols[name].offered).map(([, version]) => version),
  });
  // A client that signs its messages may be let in without a certificate.
  const sends = identity !== null || signature !== null;
  if (sends) onStep('sending a message');
  const message = sends ? await measureMessage(client) : null;
  if (token !== null) onStep('sending messages that its token must not admit');
  const tokenFacts = token === null ? null : await measureToken({ ...client, token }, other);
  if (signature !== null) onStep('sending messages without their signature');
  const signatureFacts = signature === null ? null : await measureSignature(unsigned, signature);
  const onTry = (index: number) => onStep(`measuring the latency: try ${index + 1} of ${count}`);
  const tries = await measureLatency(client, { count, isMessage: sends, onTry });
  return { byKeyType, admission, message, token: tokenFacts, signature: signatureFacts, tries };
}

/** OpenSSL verifies each chain of a server with two. */
async function measureBoth(options: AttemptOptions): Promise<Measured['byKeyType']> {
  const RSA = await attempt({ ...options, keyType: 'RSA' });
  return { RSA, EC: await attempt({ ...options, keyType: 'EC' }) };
}

/** Both resume sessions, each in its own way. */
const resumable = [
  ['TLS 1.2', 'TLSv1.2'],
  ['TLS 1.3', 'TLSv1.3'],
] as const satisfies readonly (readonly [string, SecureVersion])[];

function firstCaName({ sent }: TlsFacts): Uint8Array | null {
  if (sent.kind !== 'sent') return null;
  return sent.certificateRequest?.authorities.find(isCaName) ?? null;
}
