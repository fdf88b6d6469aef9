/** Judges who is let in: the guide wants an HTTP answer without a certificate, and a refusal of every other CA. */
import type { AdmissionFacts, ResumedAttempt, StrangerAttempt } from './admission.ts';
import type { Attempt } from './attempt.ts';
import { type Check, check, fail, type Judgement, notJudged, pass, unknown } from './check.ts';
import { cutAdvice, type Failure } from './failure.ts';

/** `asksForCertificate`: true also if it is not known. */
export function admissionChecks(facts: AdmissionFacts, asksForCertificate: boolean): Check[] {
  if (!asksForCertificate) {
    const open = notJudged('no certificate is asked for');
    const first = { ...open, fact: `${open.fact}; without one: ${describeAttempt(facts.without)}` };
    return [
      check('no-certificate', first),
      check('wrong-certificate', open),
      check('no-certificate-resumed', open),
    ];
  }
  return [
    check('no-certificate', judgeWithout(facts.without)),
    check('wrong-certificate', judgeStrangers(facts.strangers)),
    check('no-certificate-resumed', judgeResumed(facts.resumed)),
  ];
}

/** `400`, or why there was no whole response. */
export function describeAttempt({ answer, failure }: Attempt): string {
  if (answer !== null) return String(answer.status);
  if (failure !== null && failure.status !== null)
    return `${failure.status}, but not the whole response: ${failure.reason}`;
  const when = failure?.stage === 'handshake' ? 'in the handshake' : 'after the handshake';
  return `no response: ${failure?.reason ?? 'unknown'}, ${when}`;
}

const lets = 'a client that proves nothing gets in';

function judgeWithout(attempt: Attempt): Judgement {
  const { answer, failure } = attempt;
  const fact = describeAttempt(attempt);
  if (answer?.status === 400 || answer?.status === 403) return pass(fact);
  if (isLetIn(attempt))
    return fail(
      `${fact}: ${lets}`,
      'require a client certificate for every request before it reaches the host',
    );
  if (answer !== null)
    return fail(
      fact,
      'answer 400 or 403 to a request without a client certificate: the acceptance test expects one of these',
    );
  if (isUnreached(failure)) return { outcome: 'unknown', fact };
  return fail(
    fact,
    'complete the handshake and answer 400 or 403 over HTTP (nginx: ssl_verify_client optional, or on with its 400 page; ehi-gateway: rejectWith: http)',
  );
}

/** A redirect is an answer of the application; a 5xx says that the host was asked. The head of a response shows it. */
function isLetIn({ answer, failure }: Attempt): boolean {
  const status = answer?.status ?? failure?.status ?? null;
  return status !== null && (status < 400 || status >= 500);
}

/** There was no handshake, and the server did not end it, or no time: this says nothing about what it answers. */
export function isUnreached(failure: Failure | null): boolean {
  return failure?.kind === 'cut' || (failure?.kind === 'other' && failure.stage === 'handshake');
}

function judgeStrangers(strangers: readonly StrangerAttempt[]): Judgement {
  const fact = strangers
    .map(({ issuer, attempt }) => `CA with an ${issuer}: ${describeAttempt(attempt)}`)
    .join('; ');
  const letIn = strangers.filter(({ attempt }) => isLetIn(attempt));
  if (letIn.length > 0) {
    return fail(
      `${fact}: a certificate that anyone can make gets in`,
      'verify the chain of the client certificate against the CAs that you accept, and refuse all others (nginx: ssl_verify_client on instead of optional_no_ca)',
    );
  }
  const kinds = strangers.map(({ attempt: { failure } }) => failure?.kind);
  if (kinds.includes('silent'))
    return fail(fact, 'answer 400 or 403, or end the connection, instead of letting the client wait');
  if (kinds.includes('cut')) return unknown(fact, cutAdvice);
  if (kinds.includes('other')) return unknown(fact, 'repeat the examination: this is no refusal');
  return pass(fact);
}

function judgeResumed(resumed: readonly ResumedAttempt[]): Judgement {
  if (resumed.length === 0) return notJudged('neither TLS 1.2 nor 1.3 is offered');
  const fact = resumed.map(describeResumed).join('; ');
  const letIn = resumed.some(({ attempt }) => attempt !== null && isLetIn(attempt));
  const isRefused = resumed.every(({ attempt }) => !isUnanswered(attempt?.failure?.kind));
  if (!letIn) return isRefused ? pass(fact) : { outcome: 'unknown', fact };
  return fail(
    `${fact}: ${lets}`,
    'check the client certificate on resumed sessions too, or turn resumption off (nginx: ssl_session_tickets off, ssl_session_cache off)',
  );
}

/** Neither let in nor refused. */
function isUnanswered(kind: Failure['kind'] | undefined): boolean {
  return kind === 'silent' || kind === 'other' || kind === 'cut';
}

function describeResumed({ version, attempt }: ResumedAttempt): string {
  const name = version.replace('v', ' ').replace(/^TLS 1$/, 'TLS 1.0');
  if (attempt === null) return `${name}: no session is issued`;
  const how = attempt.handshake?.resumed === true ? 'resumed, ' : 'not resumed, ';
  return `${name}: ${how}${describeAttempt(attempt)}`;
}
