/** Asks the responders of one certificate in their order, until one gives an answer that counts. */
import type { Certificate } from '../../pki/certificate.ts';
import { describeRefusal } from '../describe.ts';
import { reasonOf, type Telling } from '../source-failure.ts';
import type { CheckedResponder } from '../state.ts';
import { fetchOcsp } from './fetch.ts';
import { ocspRequest } from './request.ts';
import { checkedResponder } from './responder.ts';
import { type OcspAnswer, readOcspResponse } from './response.ts';
import { succeed } from './succession.ts';

export interface OcspQuestion {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  readonly addresses: readonly string[];
  /** The last word so far: an answer that may not follow it does not count. */
  readonly last: OcspAnswer | null;
  /** Milliseconds for each of them. */
  readonly timeout: number;
  /** PEM of the CAs that verify HTTPS responders. */
  readonly ca: Buffer | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly isRevoked: IsRevoked;
}

/** Whether a certificate that the issuer has signed is known to be revoked. */
export type IsRevoked = (certificate: CheckedResponder, issuer: Certificate) => boolean;

export interface OcspAnswered {
  readonly ok: true;
  readonly address: string;
  /** The answer's DER. */
  readonly bytes: Buffer;
  readonly answer: OcspAnswer;
}

export interface OcspUnanswered {
  readonly ok: false;
  /** Why, of each responder that was asked. */
  readonly failures: readonly (Telling & { readonly detail: string })[];
}

/**
 * Never throws. No nonce is sent: answers that are made in advance, as RFC 5019 has it, cannot repeat one, and those
 * that are replayed are held off by their times and by the last word.
 */
export async function askResponders(question: OcspQuestion): Promise<OcspAnswered | OcspUnanswered> {
  const { certificate, issuer, addresses, timeout, ca, signal } = question;
  const request = ocspRequest({ certificate, issuer });
  const failures: (Telling & { readonly detail: string })[] = [];
  for (const address of addresses) {
    if (signal.aborted) break;
    try {
      const options = { url: address, request, timeout, signal };
      const bytes = await fetchOcsp({ ...options, ...(ca === undefined ? {} : { ca }) });
      const judged = judge(bytes, question);
      if (judged.ok) return { ok: true, address, bytes, answer: judged.answer };
      failures.push({ action: 'ocsp_refused', address, detail: judged.detail });
    } catch (cause) {
      failures.push({ action: 'ocsp_fetch_failed', address, detail: reasonOf(cause, address) });
    }
  }
  return { ok: false, failures };
}

function judge(bytes: Buffer, { certificate, issuer, last, clock, isRevoked }: OcspQuestion) {
  const reading = readOcspResponse(bytes, { certificate, issuer, now: clock() });
  if (!reading.ok) return { ok: false as const, detail: describeRefusal(reading) };
  const responder = checkedResponder(reading.answer.responder);
  if (reading.answer.status !== 'revoked' && responder !== null && isRevoked(responder, issuer))
    return {
      ok: false as const,
      detail: `the certificate of the responder, ${responder.subject}, is revoked`,
    };
  const next = succeed(reading.answer, last, clock());
  return typeof next === 'string' ? reading : { ok: false as const, detail: next.objection };
}
