/** Checks a server's chain as a client will see it: order, dates, and what is missing or too much (RFC 8446 §4.4.2). */
import type { Certificate } from '../../pki/certificate.ts';
import { expiresSoon, expiryDate, noticeDays } from '../../pki/expiry.ts';
import { weakKey, weakSignature } from '../../pki/strength.ts';

export interface ChainNote {
  readonly found: string;
  readonly allowed: string;
}

export interface ChainNotes {
  readonly problems: ChainNote[];
  /** The leaf is not valid now: a problem where no other certificate is. */
  readonly dated: ChainNote[];
  readonly warnings: ChainNote[];
}

/** What the chain is shown as. */
export type ChainPurpose = 'server' | 'client';

/** `now`: milliseconds since the epoch. */
export function checkChain(
  chain: readonly [Certificate, ...Certificate[]],
  { now, purpose }: { readonly now: number; readonly purpose: ChainPurpose },
): ChainNotes {
  const notes: ChainNotes = { problems: [], dated: [], warnings: [] };
  const [leaf, ...above] = chain;
  checkDates(leaf, now, { late: notes.dated, soon: notes.warnings });
  // Clients may have another path: time alone must not keep a chain out that was served until now.
  for (const issuer of above) checkDates(issuer, now, { late: notes.warnings, soon: notes.warnings });
  for (const certificate of chain) checkStrength(certificate, notes);
  checkPurpose(leaf, purpose, notes);
  if (above.length === 0 && !isIssuedBy(leaf, leaf)) {
    notes.warnings.push({
      found: `the leaf without its intermediate: ${leaf.issuer}`,
      allowed: 'the leaf, then each certificate’s issuer up to below the root',
    });
  }
  above.forEach((issuer, index) => {
    const subject = chain[index];
    if (subject !== undefined && !isIssuedBy(subject, issuer)) {
      notes.problems.push({
        found: `${issuer.subject} after ${subject.subject}, which it did not issue`,
        allowed: `the leaf first, then each certificate’s issuer; here ${subject.issuer}`,
      });
    }
    if (isIssuedBy(issuer, issuer)) {
      notes.warnings.push({
        found: `the root ${issuer.subject} in the chain`,
        allowed:
          'the leaf and its intermediates: clients have the root, and it costs bytes in every handshake',
      });
    }
  });
  return notes;
}

function checkDates(
  { subject, notBefore, notAfter }: Certificate,
  now: number,
  { late, soon }: { readonly late: ChainNote[]; readonly soon: ChainNote[] },
): void {
  const allowed = 'a certificate that is valid now';
  if (now < notBefore) {
    late.push({ found: `${subject}, not valid before ${expiryDate(notBefore)}`, allowed });
  } else if (now > notAfter) {
    late.push({ found: `${subject}, expired on ${expiryDate(notAfter)}`, allowed });
  } else if (expiresSoon(notAfter, now)) {
    soon.push({
      found: `${subject}, which expires on ${expiryDate(notAfter)}`,
      allowed: `more than ${noticeDays} days left`,
    });
  }
}

function checkStrength(certificate: Certificate, { warnings }: ChainNotes): void {
  // Nobody relies on the signature that a certificate puts under itself.
  const signature = isIssuedBy(certificate, certificate) ? null : weakSignature(certificate);
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

/** What makes the other side refuse a certificate that is sound otherwise (RFC 5280 §4.2.1.3, §4.2.1.12; RFC 9525 §2). */
function checkPurpose(leaf: Certificate, purpose: ChainPurpose, { warnings }: ChainNotes): void {
  const { subject, extendedKeyUsage, keyUsage, sans } = leaf;
  const { oid, name, side } = purposes[purpose];
  const warn = (found: string, allowed: string) => warnings.push({ found: `${subject}, ${found}`, allowed });
  if (extendedKeyUsage !== null && !extendedKeyUsage.includes(oid))
    warn(`whose extended key usage lacks ${name}: ${side} refuse it`, `a certificate for ${name}`);
  if (keyUsage !== null && !keyUsage.has('digitalSignature'))
    warn(`whose key usage lacks digitalSignature: ${side} refuse it`, 'a key usage with digitalSignature');
  if (purpose === 'server' && !sans.some((san) => /^(?:DNS|IP):/.test(san)))
    warn(
      'without a host name or address in its subject alternative name: clients look nowhere else',
      'a subject alternative name with the name or address that clients connect to',
    );
}

function isIssuedBy({ x509 }: Certificate, issuer: Certificate): boolean {
  try {
    return x509.checkIssued(issuer.x509) && x509.verify(issuer.x509.publicKey);
  } catch {
    // A key of a kind that OpenSSL does not know has signed nothing here.
    return false;
  }
}
