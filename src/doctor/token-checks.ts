/** Judges what an endpoint that demands certificate-bound access tokens answers (RFC 6750 §3, RFC 8705 §3). */
import { describeAttempt, isUnreached } from './admission-checks.ts';
import type { Attempt } from './attempt.ts';
import { type Check, check, fail, type Judgement, notJudged, pass, unknown } from './check.ts';
import type { TokenFacts } from './token.ts';

/** `isAccepted`: the message with the token got 2xx; null of `facts`: no token was given, and nothing is judged. */
export function tokenChecks(facts: TokenFacts | null, isAccepted: boolean): Check[] {
  if (facts === null) return [];
  const { missing, altered, otherCertificate } = facts;
  const refused = notJudged('the message with the token got no 2xx');
  return [
    check('token-missing', judgeMissing(missing)),
    check('token-altered', isAccepted ? judgeAltered(altered) : refused),
    check('token-bound', isAccepted ? judgeBound(otherCertificate) : refused),
  ];
}

/** `401, Bearer, error invalid_token`; of the challenge only these parts. */
export function describeChallenge(attempt: Attempt): string {
  const { answer } = attempt;
  const status = describeAttempt(attempt);
  if (answer?.challenge == null) return status;
  const error = errorOf(answer.challenge);
  return `${status}, ${isBearer(answer.challenge) ? 'Bearer' : 'another scheme'}${error === null ? '' : `, error ${error}`}`;
}

function isBearer(challenge: string): boolean {
  return /^bearer(?:\s|$)/i.test(challenge);
}

/** The error code of RFC 6750 §3.1; null: none. */
function errorOf(challenge: string): string | null {
  return /\berror="([a-z_]{1,40})"/.exec(challenge)?.[1] ?? null;
}

function judgeMissing(attempt: Attempt): Judgement {
  const { answer, failure } = attempt;
  const fact = describeChallenge(attempt);
  if (isUnreached(failure)) return { outcome: 'unknown', fact };
  if (answer?.status !== 401)
    return fail(
      fact,
      'demand the token on this path: answer 401 to a message without one (ehi-gateway: bearer with mode: enforce on the route)',
    );
  if (answer.challenge === null || !isBearer(answer.challenge))
    return fail(fact, 'send WWW-Authenticate: Bearer with the 401 (RFC 6750 §3)');
  if (errorOf(answer.challenge) !== null)
    return {
      outcome: 'warn',
      fact,
      hint: 'send no error code to a client that sent no token (RFC 6750 §3.1)',
    };
  return pass(fact);
}

function judgeAltered(attempt: Attempt): Judgement {
  return judgeRefusal(attempt, {
    letIn: 'a token that was altered is accepted',
    advice:
      'verify the signature of the token, or ask its issuer by introspection, before the host is reached',
  });
}

function judgeBound(attempt: Attempt | null): Judgement {
  if (attempt === null)
    return unknown(
      'the token was tried with its own certificate only',
      'give a second certificate that the endpoint accepts: --other-cert and --other-key',
    );
  return judgeRefusal(attempt, {
    letIn: 'a stolen token can be used with another certificate',
    advice:
      'compare cnf["x5t#S256"] of the token with the certificate of the connection (RFC 8705 §3; ehi-gateway: requireBinding: true)',
  });
}

function judgeRefusal(
  attempt: Attempt,
  { letIn, advice }: { readonly letIn: string; readonly advice: string },
): Judgement {
  const { answer, failure } = attempt;
  const fact = describeChallenge(attempt);
  if (answer?.status === 401) return pass(fact);
  if (answer !== null && (answer.status === 400 || answer.status === 403))
    return unknown(
      fact,
      'see the audit record or log of the endpoint: the message was refused for another reason than its token, which gets 401',
    );
  if (failure !== null) return { outcome: 'unknown', fact };
  return fail(`${fact}: ${letIn}`, advice);
}
