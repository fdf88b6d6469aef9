/** Whether one certificate was issued by another, or by itself. */
import type { Certificate } from './certificate.ts';
import { readKeyIdentifiers } from './key-identifier.ts';

/** Whether names, key identifiers and key usage match (RFC 5280 §6.1.3 (a)(4), §6.1.4 (n)) and the signature verifies. */
export function isIssuedBy(child: Certificate, parent: Certificate): boolean {
  try {
    const mayBe = child.x509.checkIssued(parent.x509) || namesFormerCertificate(child, parent);
    return mayBe && child.x509.verify(parent.x509.publicKey);
  } catch {
    // OpenSSL cannot use the key, so that no signature of it can be verified.
    return false;
  }
}

/**
 * Whether the child's authority key identifier names the serial of an earlier certificate of its issuer, which was later
 * renewed under its key. OpenSSL rejects such a child. RFC 5280 §6.1 does not use that serial (§4.2.1.1 has it only to
 * find a certificate), so only the key identifiers must match, if both certificates have one.
 */
function namesFormerCertificate(child: Certificate, parent: Certificate): boolean {
  if (child.canonicalIssuer !== parent.canonicalSubject) return false;
  if (parent.keyUsage?.has('keyCertSign') === false) return false;
  const { authority, namesSerial } = readKeyIdentifiers(child);
  const { subject } = readKeyIdentifiers(parent);
  return namesSerial && (authority === null || subject === null || authority === subject);
}

/** Whether its own key signed it; a self-issued certificate may be signed by another key (RFC 5280 §3.2). */
export function isSelfSigned({ isSelfIssued, x509 }: Certificate): boolean {
  try {
    return isSelfIssued && x509.verify(x509.publicKey);
  } catch {
    return false;
  }
}

/** Whether both are certificates of one CA, renewed under its key: same name, same key (RFC 5280 §6.1.1 (d)). */
export function isSameCa(one: Certificate, other: Certificate): boolean {
  return one.canonicalSubject === other.canonicalSubject && one.spkiPin === other.spkiPin;
}
