/** Asks the CRLs of an anchor about a certificate, and about those who signed them in the issuer's stead. */
import type { Certificate } from '../../pki/certificate.ts';
import { directory } from '../../pki/directory-name.ts';
import { isIssuedBy, isSameCa } from '../../pki/issued.ts';
import type { CrlSnapshot } from './crl.ts';
import { type CrlQuestion, type CrlStatus, crlStatus } from './status.ts';

export interface CrlCheckOptions {
  /** The anchor's certificates, the root first: who may sign CRLs is found among them. */
  readonly certificates: readonly Certificate[];
  readonly crls: readonly CrlSnapshot[];
  /** Those of which only what they revoke counts. */
  readonly aside?: readonly CrlSnapshot[];
  /** Milliseconds that a CRL is still believed after its end. */
  readonly grace: number;
}

/** One generation's check of an anchor's certificates and leaves; it remembers only who issued whom. */
export class CrlCheck {
  readonly #options: CrlCheckOptions;
  readonly #issuers = new Map<Certificate, readonly Certificate[]>();

  constructor(options: CrlCheckOptions) {
    this.#options = options;
  }

  /** `issuer`: the CA above the certificate on its path; `now`: milliseconds since the epoch. */
  status(
    certificate: CrlQuestion['certificate'],
    { issuer, now }: { readonly issuer: Certificate; readonly now: number },
  ): CrlStatus {
    return this.#ask(certificate, { issuer, now, asking: [] });
  }

  #ask(certificate: CrlQuestion['certificate'], { issuer, now, asking }: Inquiry): CrlStatus {
    const { crls, aside, grace } = this.#options;
    const mayDelegate = ({ signer }: CrlSnapshot): boolean => this.#isSound(signer.sha256, { now, asking });
    const mayRevoke = ({ signer }: CrlSnapshot): boolean =>
      this.#isSound(signer.sha256, { now, asking, outlives: true });
    return crlStatus({ certificate, issuer, crls, aside, now, grace, mayDelegate, mayRevoke });
  }

  /**
   * RFC 5280 §6.3.3 (f): whoever signs for another must have a path to the same anchor that holds, CRLs included.
   * `asking`: the signers whose turn it is already, which cannot vouch for themselves without their CA's word.
   * `outlives`: for what it has revoked, which counts after its certificate, and that of its CA, has expired, and as
   * long as it is not known to be revoked itself.
   */
  #isSound(
    sha256: string,
    { now, asking, outlives = false }: Omit<Inquiry, 'issuer'> & { readonly outlives?: boolean },
  ): boolean {
    const [root] = this.#options.certificates;
    const signer = this.#options.certificates.find((certificate) => certificate.sha256 === sha256);
    if (signer === undefined || now < signer.notBefore) return false;
    if (now > signer.notAfter && !outlives) return false;
    if (root !== undefined && isSameCa(signer, root)) return true;
    if (asking.includes(sha256)) return isItsOwnSource(signer);
    const next = [...asking, sha256];
    return this.#issuersOf(signer).some((issuer) => {
      if (!this.#isSound(issuer.sha256, { now, asking: next, outlives })) return false;
      const answer = this.#ask(signer, { issuer, now, asking: next });
      if (outlives) return answer.status !== 'revoked';
      if (answer.status === 'unknown')
        return answer.reason === 'no_crl' && signer.crlDistributionPoints.length === 0;
      return answer.status === 'good';
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

/** The CA has named the signer as the one who tells of the signer's own revocation: there is nobody else to ask. */
function isItsOwnSource({ canonicalSubject, crlDistributionPoints }: Certificate): boolean {
  return crlDistributionPoints.some(({ crlIssuers }) => crlIssuers?.includes(directory(canonicalSubject)));
}

interface Inquiry {
  readonly issuer: Certificate;
  readonly now: number;
  readonly asking: readonly string[];
}
