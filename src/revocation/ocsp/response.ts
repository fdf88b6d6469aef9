/** Reads what an OCSP responder answered, and believes it only as far as RFC 6960 §3.2 allows. */

import { nonceOf, type Subject } from './request.ts';
import { findResponder, type Responder, type ResponderProblem } from './responder.ts';
import { type BasicStatement, readOcspStatement, type StatedExtension } from './response-parser.ts';
import { type CertificateStatus, readStatus, statementsAbout } from './status.ts';
import { extendedRevokeExtension, nonceExtension } from './structure.ts';

/** Times are milliseconds since the epoch. */
export interface OcspAnswer extends CertificateStatus {
  readonly thisUpdate: number;
  /** null: the responder always has newer information. */
  readonly nextUpdate: number | null;
  /** Until when the answer counts: nextUpdate, or a day after thisUpdate where there is none. */
  readonly freshUntil: number;
  readonly producedAt: number;
  readonly responder: Responder;
}

export type OcspProblem =
  | ResponderProblem
  /** Not one OCSPResponse of the basic type. */
  | 'malformed'
  /** The responder states an error instead: tryLater, unauthorized, … */
  | 'not_answered'
  /** Nothing in it is about the certificate. */
  | 'wrong_certificate'
  | 'wrong_nonce'
  | 'critical_extension'
  | 'not_yet_valid'
  | 'expired';

export interface OcspRefusal {
  readonly ok: false;
  readonly problem: OcspProblem;
  readonly detail: string;
}
export type OcspReading = { readonly ok: true; readonly answer: OcspAnswer } | OcspRefusal;

export interface ReadOcspOptions extends Subject {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds that the responder's clock may differ from ours; default 5 minutes. */
  readonly skew?: number;
  /** Milliseconds that an answer is still taken after its end, which `freshUntil` tells; default none. */
  readonly grace?: number;
  /** What the request carried: an answer that carries one too must carry the same (RFC 9654 §2.1). */
  readonly nonce?: Uint8Array;
}

/** How long an answer without nextUpdate is taken: RFC 6960 sets it no end, and neither would whoever replays it. */
const openEnded = 24 * 3_600_000;

const severity = { good: 0, unknown: 1, revoked: 2 } as const;

const responseStatuses: Readonly<Record<number, string>> = {
  1: 'malformedRequest',
  2: 'internalError',
  3: 'tryLater',
  5: 'sigRequired',
  6: 'unauthorized',
};

/**
 * Extensions that may be critical. The nonce is compared; extendedRevoke says only that what was never issued counts as
 * revoked here (RFC 6960 §4.4.8).
 */
const processed: ReadonlySet<string> = new Set([nonceExtension, extendedRevokeExtension]);

/** The answer about exactly this certificate, or why there is none to go by. Throws nothing, whatever the bytes. */
export function readOcspResponse(bytes: Uint8Array, options: ReadOcspOptions): OcspReading {
  try {
    const { status, basic } = readOcspStatement(bytes);
    return basic === null
      ? refuse('not_answered', responseStatuses[status] ?? `status ${status}`)
      : readBasic(basic, options);
  } catch (cause) {
    return refuse('malformed', `not an OCSP response: ${cause instanceof Error ? cause.message : cause}`);
  }
}

function readBasic(basic: BasicStatement, options: ReadOcspOptions): OcspReading {
  const { signed, responder, certificates } = basic;
  const { issuer, now } = options;
  const found = findResponder({ signed, stated: responder, certificates, issuer, now });
  return found.ok ? readAnswer(basic, found.responder, options) : found;
}

/** `basic` is what the responder has signed. */
function readAnswer(basic: BasicStatement, responder: Responder, options: ReadOcspOptions): OcspReading {
  const about = statementsAbout(options, basic.singles);
  const extensions = [basic, ...about].flatMap((part) => part.extensions);
  const unprocessed = extensions.filter(({ critical, oid }) => critical && !processed.has(oid));
  if (unprocessed.length > 0)
    return refuse('critical_extension', unprocessed.map(({ oid }) => oid).join(', '));
  if (!isNonceRight(basic.extensions, options.nonce))
    return refuse('wrong_nonce', 'another nonce than that of the request');

  const answers = about.map((single): OcspAnswer => {
    const { thisUpdate, nextUpdate } = single;
    return {
      ...readStatus(single.status),
      thisUpdate,
      nextUpdate,
      freshUntil: nextUpdate ?? thisUpdate + openEnded,
      producedAt: basic.producedAt,
      responder,
    };
  });
  // One that speaks of the certificate twice counts with the worse of the two, and with the sooner end.
  const [answer] = answers.sort(
    (a, b) => severity[b.status] - severity[a.status] || a.freshUntil - b.freshUntil,
  );
  if (answer === undefined) return refuse('wrong_certificate', 'no answer about this certificate');
  return objectionToTime(answer, options) ?? { ok: true, answer };
}

function refuse(problem: OcspProblem, detail: string): OcspRefusal {
  return { ok: false, problem, detail };
}

function isNonceRight(extensions: readonly StatedExtension[], nonce: Uint8Array | undefined): boolean {
  if (nonce === undefined) return true;
  const expected = Buffer.from(nonceOf(nonce).extnValue.buffer);
  return extensions.filter(({ oid }) => oid === nonceExtension).every(({ value }) => expected.equals(value));
}

/** RFC 6960 §4.2.2.1. A revocation counts whatever its age: a certificate does not come back by waiting. */
function objectionToTime(
  { status, thisUpdate, freshUntil }: OcspAnswer,
  { now, skew = 300_000, grace = 0 }: ReadOcspOptions,
): OcspRefusal | null {
  if (freshUntil < thisUpdate) return refuse('malformed', 'nextUpdate before thisUpdate');
  if (status !== 'revoked' && thisUpdate > now + skew)
    return refuse('not_yet_valid', `from ${new Date(thisUpdate).toISOString()} on`);
  if (status !== 'revoked' && freshUntil + grace < now - skew)
    return refuse('expired', `at ${new Date(freshUntil).toISOString()}`);
  return null;
}
