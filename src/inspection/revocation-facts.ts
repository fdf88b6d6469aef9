/** The facts of CRLs and OCSP responses, and whether one of the given CAs signed them. */
import type { Certificate } from '../pki/certificate.ts';
import { DerCursor, DerError } from '../pki/der-cursor.ts';
import { formatName } from '../pki/distinguished-name.ts';
import { canonicalText } from '../pki/distribution-point.ts';
import { serialHex } from '../pki/serial.ts';
import { EntryReader } from '../revocation/crl/entries.ts';
import { readCrlExtensions } from '../revocation/crl/extensions.ts';
import { type CrlOutline, readCrl, readCrlOutline } from '../revocation/crl/reader.ts';
import { CrlRefusal } from '../revocation/crl/refusal.ts';
import { findResponder } from '../revocation/ocsp/responder.ts';
import { responseStatuses } from '../revocation/ocsp/response.ts';
import { readStatus } from '../revocation/ocsp/status.ts';
import { signatureName } from './algorithm-strength.ts';
import { daysLeft, isoTime } from './item-facts.ts';
import type { Objection } from './objections.ts';
import type { CrlItem, OcspItem } from './reading/item.ts';

export interface RevocationContext {
  /** Certificates that may have signed it. */
  readonly issuers: readonly Certificate[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

interface Verification {
  /** Subject of the signer; null: not verified. */
  readonly signedBy: string | null;
  readonly objections: readonly Objection[];
}

export function crlFacts({ at, der }: CrlItem, context: RevocationContext) {
  const outline = readCrlOutline(der);
  const issuer = canonicalText(outline.issuer);
  const { nextUpdate, thisUpdate } = outline;
  const { signedBy, objections } = verifyCrl(der, issuer, context);
  return {
    ...{ kind: 'crl' as const, at, issuer: formatName(outline.issuer) },
    ...contentsOf(der, outline, issuer),
    this_update: isoTime(thisUpdate),
    next_update: nextUpdate === null ? null : isoTime(nextUpdate),
    days_left: nextUpdate === null ? null : daysLeft(nextUpdate, context.now),
    signature: { name: signatureName(outline.algorithm), signed_by: signedBy },
    objections: [...objections, ...staleness(nextUpdate, context.now)],
  };
}

/** Number, scope and entries; null where the gateway would refuse them, which `objections` says. */
function contentsOf(der: Uint8Array, outline: CrlOutline, issuer: string) {
  try {
    const { number, baseNumber, scope } = readCrlExtensions(outline.extensions, issuer);
    const rules = { indirect: scope.indirect, delta: baseNumber !== null, issuer };
    const reader = new EntryReader(new DerCursor(der, outline.entriesStart), outline.entriesEnd, rules);
    let entries = 0;
    while (reader.next()) entries += 1;
    return { number: number?.toString() ?? null, delta: baseNumber !== null, entries };
  } catch (cause) {
    if (cause instanceof CrlRefusal || cause instanceof DerError)
      return { number: null, delta: null, entries: null };
    throw cause;
  }
}

function verifyCrl(der: Uint8Array, issuer: string, { issuers }: RevocationContext): Verification {
  const reading = readCrl({ bytes: der, issuers });
  if (reading.ok) {
    const { spkiPin } = reading.crl.signer;
    const signer = issuers.find((each) => each.spkiPin === spkiPin && each.canonicalSubject === issuer);
    return { signedBy: signer?.subject ?? null, objections: [] };
  }
  const isNamed = issuers.some(({ canonicalSubject }) => canonicalSubject === issuer);
  if (reading.problem === 'wrong_issuer' && !isNamed) return { signedBy: null, objections: [] };
  return { signedBy: null, objections: [{ reason: reading.problem, detail: reading.detail, advice: null }] };
}

function staleness(nextUpdate: number | null, now: number): Objection[] {
  if (nextUpdate === null || now <= nextUpdate) return [];
  const detail = `its nextUpdate was ${isoTime(nextUpdate)}; the gateway uses it for revocation.grace longer`;
  return [{ reason: 'expired', detail, advice: null }];
}

export function ocspFacts({ at, response }: OcspItem, context: RevocationContext) {
  const { status, basic } = response;
  if (basic === null) {
    const name = responseStatuses[status] ?? `status ${status}`;
    const detail = `the responder sent the error ${name} and no status`;
    return {
      ...{ kind: 'ocsp_response' as const, at, response_status: name, signature: null, responses: [] },
      objections: [{ reason: 'not_answered', detail, advice: null }],
    };
  }
  const { signedBy, objections } = verifyOcsp(basic, context);
  return {
    ...{ kind: 'ocsp_response' as const, at, response_status: 'successful' },
    signature: { name: signatureName(basic.signed.algorithm), signed_by: signedBy },
    responses: basic.singles.map((single) => singleFacts(single, context.now)),
    objections,
  };
}

type Basic = NonNullable<OcspItem['response']['basic']>;

function singleFacts({ certId, status, thisUpdate, nextUpdate }: Basic['singles'][number], now: number) {
  const { revokedAt, reason, ...rest } = statusOf(status);
  return {
    ...{ serial: serialHex(certId.serial), status: rest.status },
    revoked_at: revokedAt === undefined ? null : isoTime(revokedAt),
    reason: reason ?? null,
    this_update: isoTime(thisUpdate),
    next_update: nextUpdate === null ? null : isoTime(nextUpdate),
    days_left: nextUpdate === null ? null : daysLeft(nextUpdate, now),
  };
}

function statusOf(
  der: Uint8Array,
): ReturnType<typeof readStatus> | { status: 'unreadable'; revokedAt?: never; reason?: never } {
  try {
    return readStatus(der);
  } catch (cause) {
    if (cause instanceof DerError) return { status: 'unreadable' };
    throw cause;
  }
}

function verifyOcsp(
  { signed, responder: responderId, certificates }: Basic,
  { issuers, now }: RevocationContext,
): Verification {
  const results = issuers.map((issuer) => findResponder({ signed, responderId, certificates, issuer, now }));
  const found = results.find(({ ok }) => ok);
  if (found?.ok === true) return { signedBy: found.responder.certificate.subject, objections: [] };
  const faults = results.flatMap((each) => (each.ok ? [] : [each]));
  const fault = faults.find(({ problem }) => problem !== 'unauthorized_responder');
  if (fault === undefined) return { signedBy: null, objections: [] };
  return { signedBy: null, objections: [{ reason: fault.problem, detail: fault.detail, advice: null }] };
}
