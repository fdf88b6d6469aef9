/** Certificates for tests of anchors, and anchors built from them. */
import { type Issued, type IssueOptions, issueCertificate } from '../../../src/issuing/certificate.ts';
import { type Certificate, parseCertificate } from '../../../src/pki/certificate.ts';
import { isUsable, skippedAt } from '../../../src/trust/skipped-certificates.ts';
import { buildAnchor } from '../../../src/trust/trust-anchor.ts';
import { authority } from '../pki/authority.ts';

export const now = Date.UTC(2026, 0, 15);
export const { root, issuing, issueClient } = authority({ now });
/** The parsed certificates. */
export const certificates = (...issued: Issued[]): Certificate[] =>
  issued.map(({ der }) => parseCertificate(der));
/** A CA certificate, valid for a second before and after `now`; self-signed unless `issuer` is set. */
export const ca = (options: Partial<IssueOptions> & { subject: IssueOptions['subject'] }) =>
  issueCertificate({
    notBefore: now - 1000,
    notAfter: now + 1000,
    basicConstraints: { ca: true },
    keyUsage: ['keyCertSign'],
    ...options,
  });
/** The DER of the certificates of the anchor, or its problems. */
export const read = (issued: Issued[], options: { rootSha256?: string; at?: number } = {}) => {
  const { rootSha256, at = now } = options;
  const result = buildAnchor({ name: 'own', certificates: certificates(...issued), rootSha256, now: at });
  return result.ok ? result.anchor.certificates.map(({ der }) => der) : result.problems;
};
/** The same with the skipped certificates at that time. */
export const readWithSkipped = (issued: Issued[], options: { rootSha256?: string; at?: number } = {}) => {
  const { rootSha256, at = now } = options;
  const result = buildAnchor({ name: 'own', certificates: certificates(...issued), rootSha256, now: at });
  if (!result.ok) throw new Error(result.problems.join('; '));
  const { anchor } = result;
  return {
    used: anchor.certificates.map(({ der }) => der),
    skipped: skippedAt(anchor, at),
    usable: isUsable(anchor, at),
  };
};
