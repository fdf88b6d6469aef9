/** Whether one certificate was issued by another, or by itself. */
import type { Certificate } from './certificate.ts';

/** Names, key identifiers and key usage fit (RFC 5280 §6.1.3 (a)(4), §6.1.4 (n)), and the signature verifies. */
export function isIssuedBy(child: Certificate, parent: Certificate): boolean {
  try {
    return child.x509.checkIssued(parent.x509) && child.x509.verify(parent.x509.publicKey);
  } catch {
    // A key that OpenSSL cannot use has signed nothing that anyone can check.
    return false;
  }
}

/** Its own key signed it: what only has its subject as its issuer's name may be signed by another key (RFC 5280 §3.2). */
export function isSelfSigned({ isSelfIssued, x509 }: Certificate): boolean {
  try {
    return isSelfIssued && x509.verify(x509.publicKey);
  } catch {
    return false;
  }
}
