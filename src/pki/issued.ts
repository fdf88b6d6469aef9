/** Whether one certificate was issued by another, or by itself. */
import type { Certificate } from './certificate.ts';
import { readKeyIdentifiers } from './key-identifier.ts';

/** Names, key identifiers and key usage fit (RFC 5280 §6.1.3 (a)(4), §6.1.4 (n)), and the signature verifies. */
export function isIssuedBy(child: Certificate, parent: Certificate): boolean {
  try {
    const mayBe = child.x509.checkIssued(parent.x509) || namesFormerCertificate(child, parent);
    return mayBe && child.x509.verify(parent.x509.publicKey);
  } catch {
    // A key that OpenSSL cannot use has signed nothing that anyone can check.
    return false;
  }
}

/**
 * The child names the serial of another certificate of its issuer, as children do of a CA that was renewed under its
 * key. OpenSSL then sees another issuer. RFC 5280 §4.2.1.1 has the extension only help to find a certificate: §6.1 does
 * not ask for it, so the key identifier alone must fit, where both have one.
 */
function namesFormerCertificate(child: Certificate, parent: Certificate): boolean {
  if (child.canonicalIssuer !== parent.canonicalSubject) return false;
  if (parent.keyUsage?.has('keyCertSign') === false) return false;
  const { authority, namesSerial } = readKeyIdentifiers(child);
  const { subject } = readKeyIdentifiers(parent);
  return namesSerial && (authority === null || subject === null || authority === subject);
}

/** Its own key signed it: what only has its subject as its issuer's name may be signed by another key (RFC 5280 §3.2). */
export function isSelfSigned({ isSelfIssued, x509 }: Certificate): boolean {
  try {
    return isSelfIssued && x509.verify(x509.publicKey);
  } catch {
    return false;
  }
}

/** One CA, whose certificate was renewed under its key: name and key are what a trust anchor is (RFC 5280 §6.1.1 (d)). */
export function isSameCa(one: Certificate, other: Certificate): boolean {
  return one.canonicalSubject === other.canonicalSubject && one.spkiPin === other.spkiPin;
}
