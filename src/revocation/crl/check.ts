/** Checks certificates against the CRLs of a trust anchor, and the signers of those CRLs too (RFC 5280 §6.3.3 (f)). */
import type { Certificate } from '../../pki/certificate.ts';
import { directory } from '../../pki/general-name-text.ts';
import { isIssuedBy, isSameCa } from '../../pki/issued.ts';
import type { CrlSnapshot } from './crl.ts';
import { signersOf } from './signer.ts';
import { type CrlStatus, type CrlStatusQuery, crlStatus } from './status.ts';

interface CrlCheckOptions {
  /** The anchor's certificates, the root first: the signers of CRLs are among them. */
  readonly certificates: readonly Certificate[];
  readonly crls: readonly CrlSnapshot[];
  /** CRLs of which only the revocations count. */
  readonly revokeOnly?: readonly CrlSnapshot[];
  /** Grace period, ms. */
  readonly grace: number;
}

interface CheckContext {
  readonly issuer: Certificate;
  readonly now: number;
  /** The signers that are being checked: the end of a recursion. */
  readonly signers: readonly Certificate[];
}

/** For the certificates and CRLs of one snapshot generation; caches only which certificate issued which. */
export class CrlCheck {
  readonly #options: CrlCheckOptions;
  readonly #issuers = new Map<Certificate, readonly Certificate[]>();

  constructor(options: CrlCheckOptions) {
    this.#options = options;
  }

  /** `issuer`: the CA above the certificate on its path; `now`: milliseconds since the epoch. */
  status(
    certificate: CrlStatusQuery['certificate'],
    { issuer, now }: { readonly issuer: Certificate; readonly now: number },
  ): CrlStatus {
    return this.#status(certificate, { issuer, now, signers: [] });
  }

  #status(certificate: CrlStatusQuery['certificate'], { issuer, now, signers }: CheckContext): CrlStatus {
    const { certificates, crls, revokeOnly, grace } = this.#options;
    const isSignerValid = (crl: CrlSnapshot, forRevocation: boolean): boolean =>
      signersOf(crl, certificates).some((signer) => this.#isValid(signer, { now, signers, forRevocation }));
    const mayDelegate = (crl: CrlSnapshot): boolean => isSignerValid(crl, false);
    const mayRevoke = (crl: CrlSnapshot): boolean => isSignerValid(crl, true);
    return crlStatus({ certificate, issuer, crls, revokeOnly, now, grace, mayDelegate, mayRevoke });
  }

  /**
   * Whether the signer has a valid, unrevoked path to the same root (RFC 5280 §6.3.3 (f)). `forRevocation`: for the
   * certificates that it has revoked, which stay revoked after its own certificate or that of its CA has expired, unless
   * it is known to be revoked itself.
   */
  #isValid(
    signer: Certificate,
    { now, signers, forRevocation }: Omit<CheckContext, 'issuer'> & { readonly forRevocation: boolean },
  ): boolean {
    const [root] = this.#options.certificates;
    if (now < signer.notBefore) return false;
    if (now > signer.notAfter && !forRevocation) return false;
    if (root !== undefined && isSameCa(signer, root)) return true;
    // A signer cannot confirm its own status, with whichever of its certificates, unless its CA says so.
    if (signers.some((other) => isSameCa(signer, other))) return isItsOwnCrlIssuer(signer);
    const next = [...signers, signer];
    return this.#issuersOf(signer).some((issuer) => {
      if (!this.#isValid(issuer, { now, signers: next, forRevocation })) return false;
      const result = this.#status(signer, { issuer, now, signers: next });
      if (forRevocation) return result.status !== 'revoked';
      if (result.status === 'unknown')
        return result.reason === 'no_crl' && signer.crlDistributionPoints.length === 0;
      return result.status === 'good';
    });
  }

  #issuersOf(certificate: Certificate): readonly Certificate[] {
    const known = this.#issuers.get(certificate);
    if (known !== undefined) return known;
    const found = this.#options.certificates.filter(
      (other) => other !== certificate && isIssuedBy(certificate, other),
    );
    this.#issuers.set(certificate, found);
    return found;
  }
}

/** Whether the CA names the signer as the CRL issuer for the signer's own certificate: no other CRL covers it. */
function isItsOwnCrlIssuer({ canonicalSubject, crlDistributionPoints }: Certificate): boolean {
  return crlDistributionPoints.some(({ crlIssuers }) => crlIssuers?.includes(directory(canonicalSubject)));
}
