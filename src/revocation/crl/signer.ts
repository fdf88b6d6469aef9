/** Which certificates of a trust anchor stand for the signer of a CRL (RFC 5280 §6.3.3 (f)). Pure. */
import type { Certificate } from '../../pki/certificate.ts';
import type { CrlSnapshot } from './crl.ts';

/** RFC 5280 §4.2.1.3; a certificate without key usage may sign anything. */
export function maySignCrls({ keyUsage }: Certificate): boolean {
  return keyUsage?.has('cRLSign') !== false;
}

/**
 * Several, where the signer got another certificate with its name and key. Empty: the certificates no longer vouch for the
 * CRL.
 */
export function signersOf(
  { issuer, signer }: CrlSnapshot,
  certificates: readonly Certificate[],
): readonly Certificate[] {
  return certificates.filter(
    (each) => each.spkiPin === signer.spkiPin && each.canonicalSubject === issuer && maySignCrls(each),
  );
}
