/** CRLs and OCSP responses of the demo's CAs; the CRL is signed again with every change. */
import type { Issued } from '../issuing/certificate.ts';
import { crlEntry, crlKey, crlNumber, crlReason, signCrl } from '../issuing/crl.ts';
import {
  certIdsIn,
  errorResponse,
  isAbout,
  ocspErrors,
  responseData,
  type SingleStatus,
  serialOf,
  signResponse,
  singleResponse,
} from '../issuing/ocsp.ts';
import { type Certificate, parseCertificate } from '../pki/certificate.ts';

export const revocationPaths = { rootCrl: '/root.crl', issuingCrl: '/issuing.crl', ocsp: '/ocsp' } as const;

/** Validity of CRLs and responses, ms: longer than a demo runs, so that none has to be renewed. */
const lifetime = 30 * 86_400_000;
const second = 1000;
/** The only reason that can be cancelled (RFC 5280 §5.3.1). */
const certificateHold = 6;

interface Revoked {
  readonly certificate: Certificate;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

interface RevocationsOptions {
  readonly root: Issued;
  readonly issuing: Issued;
  /** A leaf that is revoked from the start. */
  readonly revoked: Issued;
}

export class Revocations {
  /** Path → CRL in DER, as `serveFile` needs it. */
  readonly crls = new Map<string, Uint8Array>();
  readonly #root: Issued;
  readonly #issuing: Issued;
  /** By serial number; all were issued by the issuing CA. */
  readonly #revoked = new Map<string, Revoked>();
  #number = 0;
  #thisUpdate = 0;

  constructor({ root, issuing, revoked }: RevocationsOptions) {
    this.#root = root;
    this.#issuing = issuing;
    this.revoke(revoked);
    this.crls.set(revocationPaths.rootCrl, this.#crl(root, []));
  }

  /** Returns whether it was good before. */
  revoke(leaf: Issued): boolean {
    const certificate = parseCertificate(leaf.der);
    if (this.#revoked.has(certificate.serial)) return false;
    this.#revoked.set(certificate.serial, { certificate, at: Date.now() });
    this.#sign();
    return true;
  }

  /** Returns whether it was revoked before. */
  restore(leaf: Issued): boolean {
    const wasRevoked = this.#revoked.delete(parseCertificate(leaf.der).serial);
    if (wasRevoked) this.#sign();
    return wasRevoked;
  }

  /** Answers an OCSP request (DER) about certificates of one CA; `serials`: those in the request, lower hex. */
  answer(request: Uint8Array): { readonly response: Buffer; readonly serials: readonly string[] } {
    try {
      const ids = certIdsIn(request);
      const signer = [this.#root, this.#issuing].find((ca) => ids.every((id) => isAbout(id, ca)));
      if (signer === undefined) return { response: errorResponse(ocspErrors.unauthorized), serials: [] };
      const [thisUpdate, nextUpdate] = [this.#thisUpdate, this.#thisUpdate + lifetime];
      const serials = ids.map(serialOf);
      const singles = ids.map((certId) =>
        singleResponse({ certId, status: this.#statusOf(serialOf(certId)), thisUpdate, nextUpdate }),
      );
      const data = responseData({ singles, producedAt: thisUpdate, signer });
      return { response: signResponse(data, { signer }), serials };
    } catch {
      return { response: errorResponse(ocspErrors.malformedRequest), serials: [] };
    }
  }

  #statusOf(serial: string): SingleStatus {
    const revoked = this.#revoked.get(serial);
    return revoked === undefined ? 'good' : { revokedAt: revoked.at, reason: certificateHold };
  }

  #sign(): void {
    // A new status counts only with a later thisUpdate, which CRLs and OCSP responses state in whole seconds.
    this.#thisUpdate = Math.max(Date.now(), this.#thisUpdate + second);
    this.#number += 1;
    const entries = [...this.#revoked.values()].map(({ certificate, at }) =>
      crlEntry({ serial: certificate.serialOctets, at, extensions: [crlReason(certificateHold)] }),
    );
    this.crls.set(revocationPaths.issuingCrl, this.#crl(this.#issuing, entries));
  }

  #crl(issuer: Issued, entries: readonly Uint8Array[]): Buffer {
    return signCrl({
      issuer,
      entries: Buffer.concat(entries),
      thisUpdate: this.#thisUpdate,
      nextUpdate: this.#thisUpdate + lifetime,
      extensions: [crlKey(issuer), crlNumber(this.#number)],
    });
  }
}
