/** Which CRLs cover a certificate (RFC 5280 §6.3.3 (b), (d)), and which delta CRL belongs to a complete CRL (§5.2.4). */
import type { Certificate } from '../../pki/certificate.ts';
import { type DistributionPoint, isSameName } from '../../pki/distribution-point.ts';
import { directory } from '../../pki/general-name-text.ts';
import type { CrlSnapshot } from './crl.ts';

/** A certificate and one of its distribution points. */
interface CertificatePoint {
  readonly point: DistributionPoint;
  readonly certificate: Pick<Certificate, 'canonicalIssuer' | 'isCa'>;
}

/** Whether the CRL matches the distribution point and covers the certificate: §6.3.3 (b). */
export function covers({ issuer, scope }: CrlSnapshot, { point, certificate }: CertificatePoint): boolean {
  const { crlIssuers } = point;
  if (crlIssuers === null) {
    if (issuer !== certificate.canonicalIssuer) return false;
  } else if (!scope.indirect || !crlIssuers.includes(directory(issuer))) return false;
  if (scope.only === 'attribute' || scope.only === (certificate.isCa ? 'user' : 'ca')) return false;
  return scope.names === null || haveCommon(scope.names, point.names ?? crlIssuers ?? []);
}

function haveCommon(some: readonly string[], others: readonly string[]): boolean {
  return some.some((name) => others.some((other) => isSameName(name, other)));
}

/** Bits 1 to 8 of ReasonFlags (§4.2.1.13). */
export const allReasons = 0b1_1111_1110;

/** The revocation reasons that the CRL covers for this distribution point: §6.3.3 (d). */
export function reasonsOf({ scope }: CrlSnapshot, point: DistributionPoint): number {
  return allReasons & (scope.reasons ?? allReasons) & (point.reasons ?? allReasons);
}

/** The latest delta CRL that can be combined with a complete CRL (§5.2.4, §6.3.3 (c)); null: none. */
export function deltaFor(complete: CrlSnapshot, crls: readonly CrlSnapshot[]): CrlSnapshot | null {
  let latest: CrlSnapshot | null = null;
  for (const crl of crls) {
    if (!isDeltaOf(crl, complete)) continue;
    if (latest === null || (crl.number ?? 0n) > (latest.number ?? 0n)) latest = crl;
  }
  return latest;
}

function isDeltaOf(delta: CrlSnapshot, complete: CrlSnapshot): boolean {
  return (
    delta.baseNumber !== null &&
    delta.number !== null &&
    complete.number !== null &&
    complete.number >= delta.baseNumber &&
    complete.number < delta.number &&
    delta.issuer === complete.issuer &&
    // Both must have the same key (§5.2.4); the key identifiers that §6.3.3 (c) compares are only hints.
    delta.signer.spkiPin === complete.signer.spkiPin &&
    delta.scope.extension === complete.scope.extension
  );
}
