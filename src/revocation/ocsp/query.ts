/** Queries the responders of one certificate in order, until one sends a response that can be used. */
import type { Certificate } from '../../pki/certificate.ts';
import type { RevocationNotice } from '../event.ts';
import { messageOf } from '../source-failure.ts';
import type { CheckedResponder } from '../state.ts';
import { describeRefusal } from './describe.ts';
import { fetchOcsp } from './fetch.ts';
import { ocspRequest } from './request.ts';
import { checkedResponder } from './responder.ts';
import { type OcspAnswer, readOcspResponse } from './response.ts';
import { checkOcspSuccession } from './succession.ts';

interface OcspQuery {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  readonly addresses: readonly string[];
  /** The response in use, which the new one must be able to replace; null: none. */
  readonly last: OcspAnswer | null;
  /** Milliseconds for each responder. */
  readonly timeout: number;
  /** PEM of the CAs that HTTPS responders are verified with; undefined: Node's own. */
  readonly ca: Buffer | undefined;
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly clock: () => number;
  readonly isRevoked: IsRevoked;
}

/** Whether a certificate that `issuer` has signed is known to be revoked. */
export type IsRevoked = (certificate: CheckedResponder, issuer: Certificate) => boolean;

export interface OcspQuerySuccess {
  readonly ok: true;
  readonly address: string;
  /** DER of the response. */
  readonly bytes: Buffer;
  readonly answer: OcspAnswer;
}

interface OcspQueryFailure {
  readonly ok: false;
  /** One per responder that was queried. */
  readonly failures: readonly (RevocationNotice & { readonly detail: string })[];
}

/**
 * Never throws. Sends no nonce: pre-produced responses (RFC 5019) cannot contain it. The times of a response and
 * `checkOcspSuccession` protect against replays.
 */
export async function queryResponders(query: OcspQuery): Promise<OcspQuerySuccess | OcspQueryFailure> {
  const { certificate, issuer, addresses, timeout, ca, signal } = query;
  const request = ocspRequest({ certificate, issuer });
  const failures: (RevocationNotice & { readonly detail: string })[] = [];
  for (const address of addresses) {
    if (signal.aborted) break;
    try {
      const options = { url: address, request, timeout, signal };
      const bytes = await fetchOcsp({ ...options, ...(ca === undefined ? {} : { ca }) });
      const judged = judge(bytes, query);
      if (judged.ok) return { ok: true, address, bytes, answer: judged.answer };
      failures.push({ action: 'ocsp_refused', address, detail: judged.detail });
    } catch (cause) {
      failures.push({ action: 'ocsp_fetch_failed', address, detail: messageOf(cause, address) });
    }
  }
  return { ok: false, failures };
}

function judge(bytes: Buffer, { certificate, issuer, last, clock, isRevoked }: OcspQuery) {
  const reading = readOcspResponse(bytes, { certificate, issuer, now: clock() });
  if (!reading.ok) return { ok: false as const, detail: describeRefusal(reading) };
  const responder = checkedResponder(reading.answer.responder);
  if (reading.answer.status !== 'revoked' && responder !== null && isRevoked(responder, issuer))
    return {
      ok: false as const,
      detail: `the certificate of the responder, ${responder.subject}, is revoked`,
    };
  const succession = checkOcspSuccession(reading.answer, last, clock());
  return typeof succession === 'string' ? reading : { ok: false as const, detail: succession.objection };
}
