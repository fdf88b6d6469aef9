/** Judges everything that was measured at an endpoint that accepts connections. */
import { weakSignature } from '../pki/strength.ts';
import { describeFailure, type FlightFailure } from '../probe/outcome.ts';
import type { AdmissionFacts } from './admission.ts';
import { admissionChecks } from './admission-checks.ts';
import type { Anchors } from './anchors.ts';
import { type CaName, readCaName } from './ca-name.ts';
import { matchesName } from './certificate-checks.ts';
import { missingIssuer } from './chain-checks.ts';
import { type Check, type CheckId, check, fail, pass } from './check.ts';
import { type Grade, gradeOf } from './grade.ts';
import type { Try } from './latency.ts';
import { latencyChecks } from './latency-checks.ts';
import type { MessageFacts } from './message.ts';
import { messageChecks } from './message-checks.ts';
import { protocolChecks } from './protocol-checks.ts';
import { type ProtocolFacts, protocolFactsOf } from './protocol-facts.ts';
import type { Report } from './report.ts';
import { type RequestFacts, requestChecks } from './request-checks.ts';
import { type JudgedChain, judgeServerChain, keyStrengthOf } from './server-chain.ts';
import type { TlsFacts } from './tls-facts.ts';

/** What was found once an address had accepted a connection. */
export type Findings = Pick<
  Report,
  'checks' | 'grade' | 'chain' | 'suites' | 'caNames' | 'signatureAlgorithms' | 'tries'
>;

export const nothing: Findings = {
  ...{ checks: [], grade: null, chain: [], suites: [] },
  ...{ caNames: [], signatureAlgorithms: [], tries: [] },
};

export interface Measured {
  readonly tls: TlsFacts;
  /** Of the network: how long a TCP connection took. */
  readonly roundTripMs: number;
  readonly admission: AdmissionFacts;
  readonly message: MessageFacts | null;
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
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** The endpoint speaks no TLS. */
export function judgeSilence(failure: FlightFailure): Findings {
  return { ...nothing, checks: [check('tls', judgeFailure(failure))] };
}

function judgeFailure(failure: FlightFailure) {
  const isReset = failure.kind === 'unreachable' && failure.code === 'ECONNRESET';
  if (isReset) return judgeFailure({ kind: 'reset', code: failure.code });
  const fact = `the server ${describeFailure(failure)}`;
  if (failure.kind === 'http')
    return fail(
      fact,
      'this port speaks HTTP without TLS: use the port of the TLS listener, or turn TLS on there',
    );
  if (failure.kind === 'timeout' || failure.kind === 'reset' || failure.kind === 'closed')
    return fail(
      fact,
      'look whether the endpoint runs, whether its allowlist has the address of this machine, and whether it expects a PROXY header',
    );
  return fail(fact, 'look whether a TLS server listens on this port, and into its log');
}

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
  const { tls, admission, message, tries, roundTripMs } = measured;
  const { expected, budgetMs } = expectations;
  const request = requestOf(tls);
  const server = judgeServerChain({ ...tls, ...expectations, verifyError: verifyErrorOf(measured) });
  const certificates = server.chain?.certificates ?? [];
  const [leaf] = certificates;
  const protocol = protocolFactsOf(tls, leaf === undefined ? null : keyStrengthOf(leaf));
  const checks: Check[] = [
    check('tls', pass(describeVersion(admission))),
    ...server.checks,
    ...protocolChecks(protocol),
    ...requestChecks({ request, expected }),
    ...admissionChecks(admission, request !== null),
    ...messageChecks(message, roundTripMs),
    ...latencyChecks(tries, { budgetMs, hasIdentity: message !== null }),
  ];
  const asked = request === null || typeof request === 'string' ? null : request;
  return {
    ...{ checks, grade: judgeGrade(server, protocol, expectations), tries },
    ...{ chain: certificates, suites: protocol.suites },
    ...{ caNames: asked?.caNames ?? [], signatureAlgorithms: asked?.signatureAlgorithms ?? [] },
  };
}

/** A chain that cannot be read can be trusted by no client. */
const untrusted: readonly CheckId[] = ['chain-readable', 'chain-trust'];

function judgeGrade(
  server: JudgedChain,
  protocol: ProtocolFacts,
  { expectedName, now }: Expectations,
): Grade {
  const { chain, checks } = server;
  const certificates = chain?.certificates ?? [];
  const [leaf] = certificates;
  return gradeOf({
    protocol,
    isIncomplete: chain !== null && missingIssuer(chain) !== null,
    hasWeakSignature: certificates.some((each) => weakSignature(each) !== null && !each.isSelfIssued),
    isTrusted: !checks.some(({ id, outcome }) => untrusted.includes(id) && outcome === 'fail'),
    isNameMatched: leaf === undefined || matchesName(leaf, expectedName),
    isValidToday: certificates.every(({ notBefore, notAfter }) => notBefore <= now && now <= notAfter),
  });
}

function describeVersion({ without: { handshake } }: AdmissionFacts): string {
  return handshake === null ? 'yes' : `${handshake.protocol.replace('v', ' ')}, ${handshake.cipher}`;
}

/** Of the first connection whose handshake was completed; undefined: there is none. */
function verifyErrorOf({ admission, message }: Measured): string | null | undefined {
  const attempts = [admission.without, ...admission.strangers.map(({ attempt }) => attempt), message?.plain];
  return attempts.find((attempt) => attempt?.handshake)?.handshake?.verifyError;
}
