/** Verifies an OCSP response about one certificate (RFC 6960 §3.2): signer, signature, certificate and times. */

import { CLOCK_SKEW } from '../clock-skew.ts';
import type { CertIdSubject } from './request.ts';
import { findResponder, type Responder, type ResponderProblem } from './responder.ts';
import { type ParsedBasicResponse, parseOcspResponse } from './response-parser.ts';
import { type CertificateStatus, readStatus, responsesAbout, severity } from './status.ts';
import { extendedRevokeExtension, nonceExtension } from './structure.ts';

/** Times are milliseconds since the epoch. */
export interface OcspAnswer extends CertificateStatus {
  readonly thisUpdate: number;
  /** null: absent. RFC 6960 §4.2.2.1: newer information is always available. */
  readonly nextUpdate: number | null;
  /** When the answer expires: nextUpdate, or a day after thisUpdate if there is none. */
  readonly freshUntil: number;
  readonly responder: Responder;
}

type OcspProblem =
  | ResponderProblem
  /** Not an OCSPResponse of the basic type. */
  | 'malformed'
  /** The responder sent an error: tryLater, unauthorized, … */
  | 'not_answered'
  /** It contains no response about the certificate. */
  | 'wrong_certificate'
  | 'critical_extension'
  | 'not_yet_valid'
  | 'expired';

export interface OcspRefusal {
  readonly ok: false;
  readonly problem: OcspProblem;
  readonly detail: string;
}
type OcspReading = { readonly ok: true; readonly answer: OcspAnswer } | OcspRefusal;

export interface ReadOcspOptions extends CertIdSubject {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Tolerated difference between the responder's clock and ours, ms; default CLOCK_SKEW. */
  readonly skew?: number;
  /** How long after `freshUntil` an answer is still accepted, ms; default 0. */
  readonly grace?: number;
}

/**
 * How long an answer without nextUpdate is valid from its thisUpdate on, ms. RFC 6960 sets no limit; without one, a replayed
 * answer would be accepted for ever.
 */
const openEnded = 24 * 3_600_000;

export const responseStatuses: Readonly<Record<number, string>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
};

/**
 * Extensions that may be critical. A nonce is ignored, since none is sent; extendedRevoke only says that the responder
 * reports certificates that were never issued as revoked (RFC 6960 §4.4.8).
 */
const processed: ReadonlySet<string> = new Set([nonceExtension, extendedRevokeExtension]);

/** The answer about exactly this certificate, or why the response cannot be used. Never throws. */
export function readOcspResponse(bytes: Uint8Array, options: ReadOcspOptions): OcspReading {
  try {
    const { status, basic } = parseOcspResponse(bytes);
    return basic === null
      ? refuse('not_answered', responseStatuses[status] ?? `status ${status}`)
      : readBasic(basic, options);
  } catch (cause) {
    return refuse('malformed', `not an OCSP response: ${cause instanceof Error ? cause.message : cause}`);
  }
}

function readBasic(basic: ParsedBasicResponse, options: ReadOcspOptions): OcspReading {
  const { signed, responder, certificates } = basic;
  const { issuer, now } = options;
  const found = findResponder({ signed, responderId: responder, certificates, issuer, now });
  return found.ok ? readAnswer(basic, found.responder, options) : found;
}

/** `basic`: its signature has been verified. */
function readAnswer(basic: ParsedBasicResponse, responder: Responder, options: ReadOcspOptions): OcspReading {
  const about = responsesAbout(options, basic.singles);
  const extensions = [basic, ...about].flatMap((part) => part.extensions);
  const unprocessed = extensions.filter(({ critical, oid }) => critical && !processed.has(oid));
  if (unprocessed.length > 0)
    return refuse('critical_extension', unprocessed.map(({ oid }) => oid).join(', '));

  const answers = about.map((single): OcspAnswer => {
    const { thisUpdate, nextUpdate } = single;
    return {
      ...readStatus(single.status),
      thisUpdate,
      nextUpdate,
      freshUntil: nextUpdate ?? thisUpdate + openEnded,
      responder,
    };
  });
  // Of several answers about the certificate the worst counts, and among those the one that expires first.
  const [answer] = answers.sort(
    (a, b) => severity[b.status] - severity[a.status] || a.freshUntil - b.freshUntil,
  );
  if (answer === undefined) return refuse('wrong_certificate', 'the response is not about this certificate');
  return objectionToTime(answer, options) ?? { ok: true, answer };
}

function refuse(problem: OcspProblem, detail: string): OcspRefusal {
  return { ok: false, problem, detail };
}

/**
 * RFC 6960 §4.2.2.1. null: no objection. `revoked` counts even if it has expired or is dated in the future: the passing of
 * time must not make a certificate good again.
 */
function objectionToTime(
  { status, thisUpdate, freshUntil }: OcspAnswer,
  { now, skew = CLOCK_SKEW, grace = 0 }: ReadOcspOptions,
): OcspRefusal | null {
  if (freshUntil < thisUpdate) return refuse('malformed', 'nextUpdate is before thisUpdate');
  if (status !== 'revoked' && thisUpdate > now + skew)
    return refuse('not_yet_valid', `its thisUpdate is ${new Date(thisUpdate).toISOString()}`);
  if (status !== 'revoked' && freshUntil + grace < now - skew)
    return refuse('expired', `at ${new Date(freshUntil).toISOString()}`);
  return null;
}
