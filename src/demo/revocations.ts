/** What the demo's CAs say of the certificates below them: CRLs and OCSP answers, signed anew with every change. */

import type { Issued } from '../issuing/certificate.ts';
import { crlEntry, crlKey, crlNumber, crlReason, signCrl } from '../issuing/crl.ts';
import {
  certIdsIn,
  errorResponse,
  isOf,
  ocspErrors,
  responseData,
  type StatedStatus,
  serialOf,
  signResponse,
  singleResponse,
} from '../issuing/ocsp.ts';
import { type Certificate, parseCertificate } from '../pki/certificate.ts';

export const revocationPaths = { rootCrl: '/root.crl', issuingCrl: '/issuing.crl', ocsp: '/ocsp' } as const;

/** Longer than a demo runs, ms: there is nothing to sign anew before. */
const lifetime = 30 * 86_400_000;
const second = 1000;
/** The one reason that can be taken back (RFC 5280 §5.3.1). */
const certificateHold = 6;

interface Revoked {
  readonly certificate: Certificate;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface RevocationsOptions {
  readonly root: Issued;
  readonly issuing: Issued;
  /** A leaf that is revoked from the beginning. */
  readonly revoked: Issued;
}

export class Revocations {
  /** Path → CRL in DER, for a directory to serve. */
  readonly crls = new Map<string, Uint8Array>();
  readonly #root: Issued;
  readonly #issuing: Issued;
  /** By serial: all of them the issuing CA's. */
  readonly #revoked = new Map<string, Revoked>();
  #number = 0;
  #thisUpdate = 0;

  constructor({ root, issuing, revoked }: RevocationsOptions) {
    this.#root = root;
    this.#issuing = issuing;
    this.revoke(revoked);
    this.crls.set(revocationPaths.rootCrl, this.#crl(root, []));
  }

  /** True: it was good until now. */
  revoke(leaf: Issued): boolean {
    const certificate = parseCertificate(leaf.der);
    if (this.#revoked.has(certificate.serial)) return false;
    this.#revoked.set(certificate.serial, { certificate, at: Date.now() });
    this.#sign();
    return true;
  }

  /** True: it was revoked until now. */
  restore(leaf: Issued): boolean {
    const wasRevoked = this.#revoked.delete(parseCertificate(leaf.der).serial);
    if (wasRevoked) this.#sign();
    return wasRevoked;
  }

  /** DER of an OCSPResponse about certificates of one CA, and the serials that were asked for, lower hex. */
  answer(request: Uint8Array): { readonly response: Buffer; readonly serials: readonly string[] } {
    try {
      const ids = certIdsIn(request);
      const signer = [this.#root, this.#issuing].find((ca) => ids.every((id) => isOf(id, ca)));
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

  #statusOf(serial: string): StatedStatus {
    const revoked = this.#revoked.get(serial);
    return revoked === undefined ? 'good' : { revokedAt: revoked.at, reason: certificateHold };
  }

  #sign(): void {
    // A later word counts only with a later time, and both CRLs and OCSP answers know whole seconds.
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
