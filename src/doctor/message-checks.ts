/** Judges the answer to a message that was sent with a client certificate. */
import { describeAttempt, isUnreached } from './admission-checks.ts';
import type { Attempt } from './attempt.ts';
import {
  type Check,
  type CheckId,
  check,
  fail,
  type Judgement,
  milliseconds,
  notJudged,
  pass,
  unknown,
} from './check.ts';
import { type Answer, continueWaitMs } from './exchange.ts';
import type { MessageFacts } from './message.ts';
import { describeChallenge } from './token-checks.ts';

const ids = [
  'message-status',
  'message-length',
  'message-type',
  'message-continue',
] as const satisfies CheckId[];

/** `facts`: null: no client certificate was given. `roundTripMs`: of the network. */
export function messageChecks(facts: MessageFacts | null, roundTripMs: number): Check[] {
  if (facts === null) {
    const absent = unknown(
      'no message was sent',
      'give a client certificate that the endpoint accepts: --cert and --key, or --p12',
    );
    return ids.map((id) => check(id, absent));
  }
  const { plain, continued } = facts;
  const refused = notJudged('there was no 2xx');
  const accepted = plain.answer !== null && isSuccess(plain.answer.status) ? plain.answer : null;
  return [
    check('message-status', judgeStatus(plain)),
    check('message-length', accepted === null ? refused : judgeLength(accepted)),
    check('message-type', accepted === null ? refused : judgeType(accepted)),
    check('message-continue', accepted === null ? refused : judgeContinue(continued, roundTripMs)),
  ];
}

/** Whether a message was sent and got 2xx. */
export function isAccepted(facts: MessageFacts | null): boolean {
  const status = facts?.plain.answer?.status;
  return status !== undefined && isSuccess(status);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function judgeStatus(attempt: Attempt): Judgement {
  const { answer, failure } = attempt;
  if (answer !== null && isSuccess(answer.status)) return pass(describeAnswer(answer));
  const fact = describeAttempt(attempt);
  if (isUnreached(failure)) return { outcome: 'unknown', fact };
  if (answer === null || answer.status === 400 || answer.status === 403)
    return fail(
      fact,
      'see the audit record or log of the endpoint for this time: it says why the certificate, or the signature of the message, is refused',
    );
  if (answer.status === 401)
    return fail(
      describeChallenge(attempt),
      'the certificate is accepted, and the endpoint demands an access token that is bound to it: give one with --token-file, or a new one',
    );
  if (answer.status >= 500)
    return fail(
      fact,
      'the certificate is accepted, but the host did not answer: see the log of endpoint and host',
    );
  return fail(
    fact,
    'the host refuses the message: check the path of the URL, or give a message that it accepts with --data',
  );
}

function describeAnswer({ status, bodyBytes, bodySha256, acknowledgement }: Answer): string {
  const content = bodyBytes === 0 ? 'no content' : `${bodyBytes} bytes, SHA-256 ${bodySha256.slice(0, 16)}…`;
  return `${status}, ${content}${acknowledgement === null ? '' : `, Acknowledgement ${acknowledgement}`}`;
}

function judgeLength({ contentLength, chunked, bodyBytes }: Answer): Judgement {
  if (contentLength !== null) return pass(`${contentLength} for ${bodyBytes} bytes`);
  return fail(
    `absent: the response ${chunked ? 'is chunked' : 'ends with the connection'}`,
    'Thredd demands Content-Length: make the host send it, or let the gateway add it (ehi-gateway: contentLength: ensure)',
  );
}

function judgeType({ contentType }: Answer): Judgement {
  if (contentType !== null) return pass(contentType);
  return fail('absent', 'Thredd demands Content-Type: make the host send it');
}

/** Half of the usual budget; slower, the interim response costs a message its deadline. */
const maxContinueMs = 100;

function judgeContinue(attempts: readonly Attempt[], roundTripMs: number): Judgement {
  const hint =
    'answer "100 Continue" before the host is asked: .NET clients wait for it, and without it each message is late';
  const answers = attempts.flatMap(({ answer }) => answer ?? []);
  const failure = attempts[0]?.failure ?? null;
  const silence = `no response: ${failure?.reason ?? 'unknown'}`;
  if (answers.length === 0) return isUnreached(failure) ? unknown(silence, hint) : fail(silence, hint);
  const times = answers.flatMap(({ continueMs }) => continueMs ?? []);
  if (times.length === 0) return fail(`no 100 Continue within ${continueWaitMs} ms`, hint);
  const fastest = Math.min(...times);
  const fact = `100 Continue after ${milliseconds(fastest)}`;
  return fastest - roundTripMs <= maxContinueMs ? pass(fact) : fail(fact, hint);
}
