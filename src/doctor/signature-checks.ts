/** Judges what an endpoint that demands signed bodies answers to one without its signature, and to one that was altered. */
import { describeAttempt, isUnreached } from './admission-checks.ts';
import type { Attempt } from './attempt.ts';
import { type Check, check, fail, type Judgement, notJudged, pass, unknown } from './check.ts';
import type { SignatureFacts } from './signature.ts';

/** `isAccepted`: the signed message got 2xx; null of `facts`: none was given, and nothing is judged. */
export function signatureChecks(facts: SignatureFacts | null, isAccepted: boolean): Check[] {
  if (facts === null) return [];
  const refused = notJudged('the signed message got no 2xx');
  return [
    check(
      'signature-missing',
      isAccepted
        ? judge(
            facts.missing,
            'demand the signature on this path: refuse a message without one (ehi-gateway: signature with mode: enforce on the route)',
          )
        : refused,
    ),
    check(
      'signature-altered',
      isAccepted
        ? judge(
            facts.altered,
            'verify the signature over the whole body as it was received, before the host is reached',
          )
        : refused,
    ),
  ];
}

/** The same message with its signature gets 2xx, so that a refusal is one of the signature. */
function judge(attempt: Attempt, advice: string): Judgement {
  const { answer, failure } = attempt;
  const fact = describeAttempt(attempt);
  if (isUnreached(failure)) return { outcome: 'unknown', fact };
  if (answer === null) return unknown(fact, 'see the log of the endpoint for this time');
  if ([400, 401, 403].includes(answer.status)) return pass(fact);
  if (answer.status >= 500)
    return unknown(fact, 'see the log of endpoint and host: the message may have reached the host');
  return fail(fact, advice);
}
