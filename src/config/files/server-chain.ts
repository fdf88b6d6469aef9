/** Checks a certificate chain as the TLS peer will see it: order, dates, missing and superfluous certificates (RFC 8446 §4.4.2). */
import type { Certificate } from '../../pki/certificate.ts';
import { expiresSoon, expiryDate, noticeDays } from '../../pki/expiry-warning.ts';
import { weakKey, weakSignature } from '../../pki/strength.ts';

interface ChainDiagnostic {
  readonly found: string;
  readonly allowed: string;
}

export interface ChainDiagnostics {
  readonly problems: ChainDiagnostic[];
  /** The leaf is not valid now: a problem only if no other certificate is valid. */
  readonly dateProblems: ChainDiagnostic[];
  readonly warnings: ChainDiagnostic[];
}

/** Whether the gateway presents the chain to its clients (server) or to an upstream host (client). */
export type ChainPurpose = 'server' | 'client';

/** `now`: milliseconds since the epoch. */
export function checkChain(
  chain: readonly [Certificate, ...Certificate[]],
  { now, purpose }: { readonly now: number; readonly purpose: ChainPurpose },
): ChainDiagnostics {
  const diagnostics: ChainDiagnostics = { problems: [], dateProblems: [], warnings: [] };
  const [leaf, ...above] = chain;
  checkDates(leaf, now, { invalid: diagnostics.dateProblems, soon: diagnostics.warnings });
  // Clients may have another path: an expired intermediate must not refuse a chain that was served until now.
  for (const issuer of above)
    checkDates(issuer, now, { invalid: diagnostics.warnings, soon: diagnostics.warnings });
  for (const certificate of chain) checkStrength(certificate, diagnostics);
  checkPurpose(leaf, purpose, diagnostics);
  if (above.length === 0 && !isIssuedPerOpenSsl(leaf, leaf)) {
    diagnostics.warnings.push({
      found: `the leaf without its intermediate: ${leaf.issuer}`,
      allowed: 'the leaf, then each certificate’s issuer up to below the root',
    });
  }
  above.forEach((issuer, index) => {
    const subject = chain[index];
    if (subject !== undefined && !isIssuedPerOpenSsl(subject, issuer)) {
      diagnostics.problems.push({
        found: `${issuer.subject} after ${subject.subject}, which it did not issue`,
        allowed: `the leaf first, then each certificate’s issuer; here ${subject.issuer}`,
      });
    }
    if (isIssuedPerOpenSsl(issuer, issuer)) {
      diagnostics.warnings.push({
        found: `the root ${issuer.subject} in the chain`,
        allowed:
          'the leaf and its intermediates: clients have the root already, and it makes each handshake larger',
      });
    }
  });
  return diagnostics;
}

function checkDates(
  { subject, notBefore, notAfter }: Certificate,
  now: number,
  { invalid, soon }: { readonly invalid: ChainDiagnostic[]; readonly soon: ChainDiagnostic[] },
): void {
  const allowed = 'a certificate that is valid now';
  if (now < notBefore) {
    invalid.push({ found: `${subject}, not valid before ${expiryDate(notBefore)}`, allowed });
  } else if (now > notAfter) {
    invalid.push({ found: `${subject}, expired on ${expiryDate(notAfter)}`, allowed });
  } else if (expiresSoon(notAfter, now)) {
    soon.push({
      found: `${subject}, which expires on ${expiryDate(notAfter)}`,
      allowed: `more than ${noticeDays} days left`,
    });
  }
}

function checkStrength(certificate: Certificate, { warnings }: ChainDiagnostics): void {
  // The signature of a self-signed certificate is not relied on.
  const signature = isIssuedPerOpenSsl(certificate, certificate) ? null : weakSignature(certificate);
  for (const weakness of [weakKey(certificate), signature]) {
    if (weakness === null) continue;
    const allowed = 'RSA of 2048 bits or P-256, P-384, P-521, signed with SHA-256 or better';
    warnings.push({ found: `${certificate.subject}, which has ${weakness}`, allowed });
  }
}

const purposes = {
  server: { oid: '1.3.6.1.5.5.7.3.1', name: 'serverAuth', side: 'clients' },
  client: { oid: '1.3.6.1.5.5.7.3.2', name: 'clientAuth', side: 'hosts' },
} as const;

/** Extensions for which the peer refuses a valid certificate (RFC 5280 §4.2.1.3, §4.2.1.12; RFC 9525 §2). */
function checkPurpose(leaf: Certificate, purpose: ChainPurpose, { warnings }: ChainDiagnostics): void {
  const { subject, extendedKeyUsage, keyUsage, sans } = leaf;
  const { oid, name, side } = purposes[purpose];
  const warn = (found: string, allowed: string) => warnings.push({ found: `${subject}, ${found}`, allowed });
  if (extendedKeyUsage !== null && !extendedKeyUsage.includes(oid))
    warn(`whose extended key usage lacks ${name}: ${side} refuse it`, `a certificate for ${name}`);
  if (keyUsage !== null && !keyUsage.has('digitalSignature'))
    warn(`whose key usage lacks digitalSignature: ${side} refuse it`, 'a key usage with digitalSignature');
  if (purpose === 'server' && !sans.some((san) => /^(?:DNS|IP):/.test(san)))
    warn(
      'without a host name or address in its subject alternative name: clients do not use the common name',
      'a subject alternative name with the name or address that clients connect to',
    );
}

/** By the rules of OpenSSL alone, which are stricter than `isIssuedBy` (pki/issued.ts): many peers verify with OpenSSL. */
function isIssuedPerOpenSsl({ x509 }: Certificate, issuer: Certificate): boolean {
  try {
    return x509.checkIssued(issuer.x509) && x509.verify(issuer.x509.publicKey);
  } catch {
    // OpenSSL does not support the type of the key.
    return false;
  }
}
