/** The OCSP result that the policy snapshot holds for a certificate. Pure. */
import type { OcspResult } from '../state.ts';
import { describeAnswer } from './describe.ts';
import { checkedResponder } from './responder.ts';
import type { OcspAnswer } from './response.ts';

export function resultOfAnswer(
  answer: OcspAnswer,
  { certificate, address }: Pick<OcspResult, 'certificate' | 'address'>,
): OcspResult {
  return {
    certificate,
    status: answer.status,
    freshUntil: answer.status === 'good' ? answer.freshUntil : 0,
    address,
    detail: describeAnswer(answer),
    problem: null,
    responder: checkedResponder(answer.responder),
  };
}

/** For a certificate without any usable response so far. */
export function failedResult(
  detail: string,
  { certificate, address }: Pick<OcspResult, 'certificate' | 'address'>,
): OcspResult {
  return { certificate, status: 'failed', freshUntil: 0, address, detail, problem: null, responder: null };
}

export function isSameResult(one: OcspResult, other: OcspResult | null): boolean {
  return (
    one.status === other?.status &&
    one.freshUntil === other.freshUntil &&
    one.detail === other.detail &&
    one.address === other.address &&
    one.problem === other.problem &&
    one.responder?.tbsSha256 === other.responder?.tbsSha256
  );
}
