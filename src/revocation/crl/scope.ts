/** Which CRLs speak of which certificates (RFC 5280 §6.3.3 (b), (d)), and which delta belongs to which (§5.2.4). */
import type { Certificate } from '../../pki/certificate.ts';
import { directory } from '../../pki/directory-name.ts';
import { type DistributionPoint, isSameName } from '../../pki/distribution-point.ts';
import type { CrlSnapshot } from './crl.ts';

/** What a CRL is about: a certificate, by one of its distribution points. */
export interface CrlSubject {
  readonly point: DistributionPoint;
  readonly certificate: Pick<Certificate, 'canonicalIssuer' | 'isCa'>;
}

/** Whether the CRL is one that the certificate's distribution point means: §6.3.3 (b). */
export function covers({ issuer, scope }: CrlSnapshot, { point, certificate }: CrlSubject): boolean {
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

/** The reasons that the CRL tells of where the distribution point sends us to it: §6.3.3 (d). */
export function reasonsOf({ scope }: CrlSnapshot, point: DistributionPoint): number {
  return allReasons & (scope.reasons ?? allReasons) & (point.reasons ?? allReasons);
}

/** The latest delta that can be combined with a complete CRL: §5.2.4, §6.3.3 (c). */
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
    // One key for both (§5.2.4); the key identifiers that §6.3.3 (c) compares only hint at it.
    delta.signer.spkiPin === complete.signer.spkiPin &&
    delta.scope.extension === complete.scope.extension
  );
}
