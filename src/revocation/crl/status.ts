/** The revocation status of one certificate by CRLs that were parsed before (RFC 5280 §6.3.3). Pure. */
import type { Certificate } from '../../pki/certificate.ts';
import type { DistributionPoint } from '../../pki/distribution-point.ts';
import { directory } from '../../pki/general-name-text.ts';
import { CLOCK_SKEW } from '../clock-skew.ts';
import type { RevocationReason } from '../reasons.ts';
import { type CrlSnapshot, crlEnd } from './crl.ts';
import { allReasons, covers, deltaFor, reasonsOf } from './scope.ts';
import { isOfSameSeries } from './succession.ts';
import { findRow, reasonAt } from './table.ts';

export interface CrlStatusQuery {
  readonly certificate: Pick<
    Certificate,
    'serialOctets' | 'canonicalIssuer' | 'isCa' | 'crlDistributionPoints'
  >;
  /** The CA above it on its path. */
  readonly issuer: Pick<Certificate, 'spkiPin'>;
  /** CRLs of the trust anchor that the path ends in, and of no other. */
  readonly crls: readonly CrlSnapshot[];
  /** CRLs that are not in use: they revoke the certificates that they list, and show none to be good. */
  readonly revokeOnly?: readonly CrlSnapshot[] | undefined;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Grace period, ms. */
  readonly grace: number;
  /** Whether a CRL is used that was signed with another key than the issuer's; default: no. */
  readonly mayDelegate?: (crl: CrlSnapshot) => boolean;
  /** Whether the revocations in such a CRL count even so; default: as `mayDelegate`. */
  readonly mayRevoke?: (crl: CrlSnapshot) => boolean;
}

type CrlUnknownReason =
  /** No CRL covers this certificate. */
  | 'no_crl'
  /** The CRLs that cover it are signed with a key that is not authorized for the issuer. */
  | 'wrong_signer'
  /** Their thisUpdate is in the future. */
  | 'not_yet_valid'
  /** They do not cover all revocation reasons. */
  | 'some_reasons'
  /** They expired longer than `grace` ago. */
  | 'stale';

export type CrlStatus =
  /** By CRLs that are valid until `freshUntil`; `stale`: that time has passed, and the grace period has not. */
  | { readonly status: 'good'; readonly freshUntil: number; readonly stale: boolean }
  | {
      readonly status: 'revoked';
      readonly reason: RevocationReason;
      readonly revokedAt: number;
      /** SHA-256 of the CRL that lists the certificate. */
      readonly crl: string;
    }
  | { readonly status: 'unknown'; readonly reason: CrlUnknownReason; readonly detail: string };

/** A CRL that omits the certificate: it shows that it is not revoked for these reasons, until this time. */
interface Evidence {
  readonly reasons: number;
  readonly until: number;
}

/**
 * A listed certificate is revoked whatever the age of the CRL, in use or not. A certificate is good only while the CRLs
 * that omit it are valid and together cover all reasons.
 */
export function crlStatus(query: CrlStatusQuery): CrlStatus {
  const { certificate, crls } = query;
  const evidence: Evidence[] = [];
  let unknown: CrlUnknownReason = 'no_crl';
  for (const point of [...certificate.crlDistributionPoints, implicitPoint(certificate)]) {
    for (const crl of crls) {
      if (crl.baseNumber !== null || !covers(crl, { point, certificate })) continue;
      const authorized = isAuthorized(crl, query);
      const delta = deltaFor(crl, crls);
      const revoked = authorized || mayRevoke(crl, query) ? findRevocation(query, { crl, delta }) : null;
      if (revoked !== null) return revoked;
      if (!authorized) {
        if (unknown === 'no_crl') unknown = 'wrong_signer';
        continue;
      }
      if (isFuture(crl, query)) unknown = 'not_yet_valid';
      else evidence.push({ reasons: reasonsOf(crl, point), until: endOf(query, { crl, delta }) });
    }
  }
  const revoked = findInRevokeOnly(query);
  if (revoked !== null) return revoked;
  if (evidence.length === 0) return { status: 'unknown', reason: unknown, detail: unknownDetails[unknown] };
  return weigh(evidence, query);
}

/** Searches the CRLs that are not in use, complete ones and deltas. */
function findInRevokeOnly(query: CrlStatusQuery): CrlStatus | null {
  const { certificate, crls, revokeOnly = [] } = query;
  for (const crl of revokeOnly) {
    const points = [...certificate.crlDistributionPoints, implicitPoint(certificate)];
    if (!points.some((point) => covers(crl, { point, certificate })) || !mayRevoke(crl, query)) continue;
    const row = rowIn(crl, query);
    if (row < 0) continue;
    const reason = reasonAt(crl.table, row);
    // Only certificateHold can be cancelled (RFC 5280 §5.3.1): by a later CRL of the same series that omits it.
    const isReleased = crls.some((other) => isOfSameSeries(crl, other) && other.thisUpdate > crl.thisUpdate);
    if (reason === 'removeFromCRL' || (reason === 'certificateHold' && isReleased)) continue;
    return revokedBy(crl, row);
  }
  return null;
}

/** RFC 5280 §6.3.3, last paragraph: CRLs of the issuer that no distribution point names. */
function implicitPoint({ canonicalIssuer }: CrlStatusQuery['certificate']): DistributionPoint {
  return { names: [directory(canonicalIssuer)], urls: [], reasons: null, crlIssuers: null };
}

function isAuthorized(crl: CrlSnapshot, { issuer, mayDelegate }: CrlStatusQuery): boolean {
  return crl.signer.spkiPin === issuer.spkiPin || mayDelegate?.(crl) === true;
}

/** A revocation stays when the signer's certificate expires, or when the signer's own status becomes unknown. */
function mayRevoke(crl: CrlSnapshot, query: CrlStatusQuery): boolean {
  return isAuthorized(crl, query) || query.mayRevoke?.(crl) === true;
}

interface CrlWithDelta {
  readonly crl: CrlSnapshot;
  readonly delta: CrlSnapshot | null;
}

/** §6.3.3 (i) to (k). */
function findRevocation(query: CrlStatusQuery, { crl, delta }: CrlWithDelta): CrlStatus | null {
  const row = delta === null ? -1 : rowIn(delta, query);
  if (delta !== null && row >= 0) {
    if (reasonAt(delta.table, row) !== 'removeFromCRL') return revokedBy(delta, row);
    // An expired delta CRL cancels no revocation.
    if (!isFuture(delta, query) && query.now <= crlEnd(delta) + query.grace) return null;
  }
  const complete = rowIn(crl, query);
  return complete < 0 ? null : revokedBy(crl, complete);
}

function rowIn({ table }: CrlSnapshot, { certificate }: CrlStatusQuery): number {
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

function isFuture({ thisUpdate }: CrlSnapshot, { now }: CrlStatusQuery): boolean {
  return thisUpdate > now + CLOCK_SKEW;
}

/** A complete CRL combined with its delta CRL is valid as long as the delta is (§5.2.4). */
function endOf(query: CrlStatusQuery, { crl, delta }: CrlWithDelta): number {
  if (delta === null || isFuture(delta, query)) return crlEnd(crl);
  return Math.max(crlEnd(crl), crlEnd(delta));
}

/** Good until the first moment when the CRLs that are still valid no longer cover all reasons. */
function weigh(evidence: Evidence[], { now, grace }: CrlStatusQuery): CrlStatus {
  let reasons = 0;
  for (const { reasons: more, until } of evidence.sort((a, b) => b.until - a.until)) {
    reasons |= more;
    if (reasons !== allReasons) continue;
    if (now <= until + grace) return { status: 'good', freshUntil: until, stale: now > until };
    const detail = `the CRLs expired at ${new Date(until).toISOString()}, and the grace period has passed too`;
    return { status: 'unknown', reason: 'stale', detail };
  }
  return { status: 'unknown', reason: 'some_reasons', detail: unknownDetails.some_reasons };
}

const unknownDetails = {
  no_crl: 'no CRL covers this certificate',
  wrong_signer: 'the CRLs are signed with a key that is not authorized for the issuer',
  not_yet_valid: 'the CRLs are not yet valid: their thisUpdate is in the future',
  some_reasons: 'the CRLs do not cover all revocation reasons',
  stale: 'the CRLs have expired',
} as const satisfies Record<CrlUnknownReason, string>;
