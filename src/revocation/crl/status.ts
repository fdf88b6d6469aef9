/** Whether CRLs say that a certificate is revoked (RFC 5280 §6.3.3): a pure decision over CRLs that were read before. */
import type { Certificate } from '../../pki/certificate.ts';
import { directory } from '../../pki/directory-name.ts';
import type { DistributionPoint } from '../../pki/distribution-point.ts';
import { type CrlSnapshot, crlEnd as ownEnd } from './crl.ts';
import { allReasons, covers, deltaFor, reasonsOf } from './scope.ts';
import { isOfSameSeries } from './succession.ts';
import { findRow, type RevocationReason, reasonAt } from './table.ts';

export interface CrlQuestion {
  readonly certificate: Pick<
    Certificate,
    'serialOctets' | 'canonicalIssuer' | 'isCa' | 'crlDistributionPoints'
  >;
  /** The CA above it on its path. */
  readonly issuer: Pick<Certificate, 'spkiPin'>;
  /** CRLs of the anchor that the path ends in, and of no other. */
  readonly crls: readonly CrlSnapshot[];
  /** Sound ones that are not in use: what they revoke counts, that they revoke nothing does not. */
  readonly aside?: readonly CrlSnapshot[] | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Milliseconds that a CRL is still believed after its end. */
  readonly grace: number;
  /** Whether a CRL may be believed whose signer has another key than the issuer; absent: none may. */
  readonly mayDelegate?: (crl: CrlSnapshot) => boolean;
  /** Whether what it revokes counts all the same; absent: where `mayDelegate` says so. */
  readonly mayRevoke?: (crl: CrlSnapshot) => boolean;
}

export type CrlUnknown =
  /** No CRL is about this certificate. */
  | 'no_crl'
  /** Its CRLs are signed by somebody who may not speak for the issuer. */
  | 'wrong_signer'
  /** They begin in the future. */
  | 'not_yet_valid'
  /** They do not cover all reasons. */
  | 'some_reasons'
  /** They ended longer than `grace` ago. */
  | 'stale';

export type CrlStatus =
  /** By CRLs that hold until `freshUntil`; `stale`: that has passed, and only the grace lets them serve on. */
  | { readonly status: 'good'; readonly freshUntil: number; readonly stale: boolean }
  | {
      readonly status: 'revoked';
      readonly reason: RevocationReason;
      readonly revokedAt: number;
      /** SHA-256 of the CRL that says so. */
      readonly crl: string;
    }
  | { readonly status: 'unknown'; readonly reason: CrlUnknown; readonly detail: string };

/** How far other clocks may be ahead of ours, ms. */
const SKEW = 300_000;

/** That nothing is told of a revocation for these reasons, and until when that holds. */
interface Evidence {
  readonly reasons: number;
  readonly until: number;
}

/**
 * A revocation counts whatever the age of the CRL that tells it, and whether or not it is the one in use. That none is told counts only as long as the CRLs
 * that together speak of all reasons hold.
 */
export function crlStatus(question: CrlQuestion): CrlStatus {
  const { certificate, crls } = question;
  const evidence: Evidence[] = [];
  let misfit: CrlUnknown = 'no_crl';
  for (const point of [...certificate.crlDistributionPoints, ownPoint(certificate)]) {
    for (const crl of crls) {
      if (crl.baseNumber !== null || !covers(crl, { point, certificate })) continue;
      const isBelieved = mayBeBelieved(crl, question);
      const delta = deltaFor(crl, crls);
      const revoked =
        isBelieved || mayRevoke(crl, question) ? findRevocation(question, { crl, delta }) : null;
      if (revoked !== null) return revoked;
      if (!isBelieved) {
        if (misfit === 'no_crl') misfit = 'wrong_signer';
        continue;
      }
      if (isFuture(crl, question)) misfit = 'not_yet_valid';
      else evidence.push({ reasons: reasonsOf(crl, point), until: endOf(question, { crl, delta }) });
    }
  }
  const revoked = findAside(question);
  if (revoked !== null) return revoked;
  if (evidence.length === 0) return { status: 'unknown', reason: misfit, detail: unknownDetails[misfit] };
  return weigh(evidence, question);
}

/** What CRLs that are not in use revoke, complete ones and deltas. */
function findAside(question: CrlQuestion): CrlStatus | null {
  const { certificate, crls, aside = [] } = question;
  for (const crl of aside) {
    const points = [...certificate.crlDistributionPoints, ownPoint(certificate)];
    if (!points.some((point) => covers(crl, { point, certificate })) || !mayRevoke(crl, question)) continue;
    const row = rowIn(crl, question);
    if (row < 0) continue;
    const reason = reasonAt(crl.table, row);
    // A hold alone may be taken back (RFC 5280 §5.3.1): a later CRL of the same series that does not tell of it has.
    const isReleased = crls.some((other) => isOfSameSeries(crl, other) && other.thisUpdate > crl.thisUpdate);
    if (reason === 'removeFromCRL' || (reason === 'certificateHold' && isReleased)) continue;
    return revokedBy(crl, row);
  }
  return null;
}

/** RFC 5280 §6.3.3, at its end: the issuer's CRLs that no distribution point tells of. */
function ownPoint({ canonicalIssuer }: CrlQuestion['certificate']): DistributionPoint {
  return { names: [directory(canonicalIssuer)], urls: [], reasons: null, crlIssuers: null };
}

function mayBeBelieved(crl: CrlSnapshot, { issuer, mayDelegate }: CrlQuestion): boolean {
  return crl.signer.spkiPin === issuer.spkiPin || mayDelegate?.(crl) === true;
}

/** A revocation does not end when its signer's certificate does, or when nothing recent is known of that. */
function mayRevoke(crl: CrlSnapshot, question: CrlQuestion): boolean {
  return mayBeBelieved(crl, question) || question.mayRevoke?.(crl) === true;
}

interface Source {
  readonly crl: CrlSnapshot;
  readonly delta: CrlSnapshot | null;
}

/** §6.3.3 (i) to (k). */
function findRevocation(question: CrlQuestion, { crl, delta }: Source): CrlStatus | null {
  const row = delta === null ? -1 : rowIn(delta, question);
  if (delta !== null && row >= 0) {
    if (reasonAt(delta.table, row) !== 'removeFromCRL') return revokedBy(delta, row);
    // Only a delta that holds takes a revocation back.
    if (!isFuture(delta, question) && question.now <= ownEnd(delta) + question.grace) return null;
  }
  const complete = rowIn(crl, question);
  return complete < 0 ? null : revokedBy(crl, complete);
}

function rowIn({ table }: CrlSnapshot, { certificate }: CrlQuestion): number {
  return findRow(table, certificate.serialOctets, certificate.canonicalIssuer);
}

function revokedBy({ table, sha256 }: CrlSnapshot, row: number): CrlStatus {
  return {
    status: 'revoked',
    reason: reasonAt(table, row),
    revokedAt: table.dates[row] as number,
    crl: sha256,
  };
}

function isFuture({ thisUpdate }: CrlSnapshot, { now }: CrlQuestion): boolean {
  return thisUpdate > now + SKEW;
}

/** Combined with its delta a CRL is as young as that (§5.2.4). */
function endOf(question: CrlQuestion, { crl, delta }: Source): number {
  if (delta === null || isFuture(delta, question)) return ownEnd(crl);
  return Math.max(ownEnd(crl), ownEnd(delta));
}

/** Good until the first moment when what still holds no longer covers all reasons. */
function weigh(evidence: Evidence[], { now, grace }: CrlQuestion): CrlStatus {
  let reasons = 0;
  for (const { reasons: more, until } of evidence.sort((a, b) => b.until - a.until)) {
    reasons |= more;
    if (reasons !== allReasons) continue;
    if (now <= until + grace) return { status: 'good', freshUntil: until, stale: now > until };
    const detail = `the CRLs ended at ${new Date(until).toISOString()}`;
    return { status: 'unknown', reason: 'stale', detail };
  }
  return { status: 'unknown', reason: 'some_reasons', detail: unknownDetails.some_reasons };
}

const unknownDetails = {
  no_crl: 'no CRL is about this certificate',
  wrong_signer: 'the CRLs are not signed by anybody who may speak for the issuer',
  not_yet_valid: 'the CRLs begin in the future',
  some_reasons: 'the CRLs do not cover all reasons',
  stale: 'the CRLs have ended',
} as const satisfies Record<CrlUnknown, string>;
