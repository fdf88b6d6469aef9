/** Judges everything that was measured at an endpoint that accepts connections. */
import { weakSignature } from '../pki/strength.ts';
import { type KeyType, otherKeyType } from '../probe/key-type.ts';
import { describeFailure, type FlightFailure } from '../probe/outcome.ts';
import type { AdmissionFacts } from './admission.ts';
import { admissionChecks } from './admission-checks.ts';
import type { Anchors } from './anchors.ts';
import type { Attempt } from './attempt.ts';
import { type ChainsFacts, type JudgedChains, judgeChains } from './both-chains.ts';
import { type CaName, readCaName } from './ca-name.ts';
import { missingIssuer } from './chain-checks.ts';
import { type Check, type CheckId, check, fail, pass, tolerate } from './check.ts';
import { type Grade, gradeOf } from './grade.ts';
import type { Try } from './latency.ts';
import { latencyChecks } from './latency-checks.ts';
import type { MessageFacts } from './message.ts';
import { isAccepted, messageChecks } from './message-checks.ts';
import { protocolChecks } from './protocol-checks.ts';
import { type ProtocolFacts, protocolFactsOf } from './protocol-facts.ts';
import type { Report } from './report.ts';
import { type RequestFacts, requestChecks } from './request-checks.ts';
import { keyStrengthOf } from './server-chain.ts';
import type { SignatureFacts } from './signature.ts';
import { signatureChecks } from './signature-checks.ts';
import type { TlsFacts } from './tls-facts.ts';
import type { TokenFacts } from './token.ts';
import { tokenChecks } from './token-checks.ts';

/** What was found once an address had accepted a connection. */
export type Findings = Pick<
  Report,
  'checks' | 'grade' | 'chain' | 'otherChain' | 'suites' | 'caNames' | 'signatureAlgorithms' | 'tries'
>;

export const nothing: Findings = {
  ...{ checks: [], grade: null, chain: [], otherChain: [], suites: [] },
  ...{ caNames: [], signatureAlgorithms: [], tries: [] },
};

export interface Measured {
  readonly tls: TlsFacts;
  /** Of the network: how long a TCP connection took. */
  readonly roundTripMs: number;
  /** One connection for each kind of certificate; null: the server has one kind. */
  readonly byKeyType: Readonly<Record<KeyType, Attempt>> | null;
  readonly admission: AdmissionFacts;
  readonly message: MessageFacts | null;
  /** null: no token was given. */
  readonly token: TokenFacts | null;
  /** null: no signature was given. */
  readonly signature: SignatureFacts | null;
  readonly tries: readonly Try[];
}

/** What the facts are compared with. */
export interface Expectations {
  readonly anchors: Anchors;
  /** The name or address that the certificate must be valid for. */
  readonly expectedName: string;
  /** The CA names that the endpoint must advertise; null: any. */
  readonly expected: readonly CaName[] | null;
  readonly budgetMs: number;
  /** Checks that cannot fail. */
  readonly tolerated: readonly CheckId[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The endpoint answers no ClientHello, or not with TLS. */
export function judgeSilence(failure: FlightFailure): Findings {
  // The reset of an accepted connection may arrive before this machine knows that it connected.
  if (failure.kind === 'unreachable' && failure.code === 'ECONNRESET')
    return judgeSilence({ kind: 'reset', code: failure.code });
  const fact = `the server ${describeFailure(failure)}`;
  switch (failure.kind) {
    case 'reset':
    case 'closed':
    case 'unreachable':
      return { ...nothing, checks: [check('admitted', fail(fact, admittedAdvice))] };
    case 'http':
      return { ...nothing, checks: [admitted, check('tls', fail(fact, httpAdvice))] };
    case 'timeout':
    case 'alert':
    case 'other-version':
    case 'not-tls':
    case 'malformed':
    case 'too-large':
    case 'retry':
      return { ...nothing, checks: [admitted, check('tls', fail(fact, tlsAdvice))] };
    default:
      return failure satisfies never;
  }
}

const admitted = check('admitted', pass('the connection stays open'));
const admittedAdvice =
  'look whether the endpoint is running behind this address, and whether its allowlist has the address of this machine';
const httpAdvice =
  'this port speaks HTTP without TLS: use the port of the TLS listener, or turn TLS on there';
const tlsAdvice =
  'look whether a TLS server listens on this port, whether it expects a PROXY header, and into its log';

function requestOf({ sent }: TlsFacts): RequestFacts['request'] {
  if (sent.kind === 'not-possible') return sent.reason;
  if (sent.certificateRequest === null) return null;
  const { authorities, signatureSchemes } = sent.certificateRequest;
  return {
    source: sent.source === 'openssl' ? `${sent.version}, by openssl s_client` : sent.version,
    caNames: authorities.map(readCaName),
    signatureAlgorithms: signatureSchemes.map(({ name }) => name),
  };
}

export function judge(measured: Measured, expectations: Expectations): Findings {
  const { tls, admission, message, token, signature, tries, roundTripMs } = measured;
  const { expected, budgetMs, tolerated } = expectations;
  const request = requestOf(tls);
  const judged = judgeChains({ ...tls, ...expectations, verifyErrors: verifyErrorsOf(measured) });
  const server = { ...judged, checks: tolerate(judged.checks, tolerated) };
  const [chain = [], otherChain = []] = server.chains.map(({ certificates }) => certificates);
  const leaves = [chain, otherChain].flatMap(([leaf]) => leaf ?? []);
  const protocol = protocolFactsOf(tls, weakest(leaves.map(keyStrengthOf)));
  const checks: Check[] = [
    admitted,
    check('tls', pass(describeVersion(admission))),
    ...server.checks,
    ...protocolChecks(protocol),
    ...requestChecks({ request, expected }),
    ...admissionChecks(admission, request !== null),
    ...messageChecks(message, roundTripMs),
    ...tokenChecks(token, isAccepted(message)),
    ...signatureChecks(signature, isAccepted(message)),
    ...latencyChecks(tries, { budgetMs, hasIdentity: message !== null }),
  ];
  const asked = request === null || typeof request === 'string' ? null : request;
  return {
    ...{ checks, grade: judgeGrade(server, protocol), tries },
    ...{ chain, otherChain, suites: protocol.suites },
    ...{ caNames: asked?.caNames ?? [], signatureAlgorithms: asked?.signatureAlgorithms ?? [] },
  };
}

/** null: no leaf was read, or the strength of one is not known. */
function weakest(strengths: readonly (number | null)[]): number | null {
  const known = strengths.filter((strength) => strength !== null);
  return known.length === 0 || known.length < strengths.length ? null : Math.min(...known);
}

function judgeGrade({ chains, checks }: JudgedChains, protocol: ProtocolFacts): Grade {
  const certificates = chains.flatMap((chain) => chain.certificates);
  const isFailed = (...ids: readonly CheckId[]) =>
    checks.some(({ id, outcome }) => ids.includes(id) && outcome === 'fail');
  return gradeOf({
    protocol,
    isIncomplete: chains.some((chain) => missingIssuer(chain) !== null),
    hasWeakSignature: certificates.some((each) => weakSignature(each) !== null && !each.isSelfIssued),
    // A chain that cannot be read is trusted by no client.
    isTrusted: !isFailed('chain-readable', 'chain-trust'),
    isNameMatched: !isFailed('chain-name'),
    isValidToday: !isFailed('chain-validity'),
  });
}

function describeVersion({ without: { handshake } }: AdmissionFacts): string {
  return handshake === null ? 'yes' : `${handshake.protocol.replace('v', ' ')}, ${handshake.cipher}`;
}

/** Of the first connection with this certificate whose handshake was completed; undefined: there is none. */
function verifyErrorsOf({ tls, byKeyType, admission, message }: Measured): ChainsFacts['verifyErrors'] {
  if (byKeyType !== null && tls.otherSent !== null) {
    const { keyType } = tls.otherSent;
    const first = byKeyType[otherKeyType(keyType)].handshake?.verifyError;
    return { first, other: byKeyType[keyType].handshake?.verifyError };
  }
  const attempts = [admission.without, ...admission.strangers.map(({ attempt }) => attempt), message?.plain];
  const first = attempts.find((attempt) => attempt?.handshake)?.handshake?.verifyError;
  return { first, other: undefined };
}
