/** The CAs that a server is verified with, from a file of PEM or DER. */
import { readFile } from 'node:fs/promises';
import { GatewayError } from '../../errors.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { expiresSoon, expiryDate, noticeDays } from '../../pki/expiry.ts';
import { readCertificates } from '../../pki/pem.ts';
import type { Finding, Path } from '../document.ts';

/** Collects what is wrong, and what is doubtful. */
export interface Notes {
  readonly problems: Finding[];
  readonly warnings: Finding[];
}

export interface Place {
  /** Of the mapping that names the file. */
  readonly at: Path;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly notes: Notes;
}

/** PEM of each; the file stands in the field `ca`. What is wrong with it is told, not thrown. */
export async function readAuthorities(file: string, { at, now, notes }: Place): Promise<string[]> {
  const path = [...at, 'ca'];
  const allowed = 'PEM or DER: the CAs of the endpoint';
  let certificates: Certificate[] = [];
  try {
    certificates = readCertificates(await readFile(file));
  } catch (cause) {
    const found =
      cause instanceof GatewayError
        ? `${file}: ${cause.message}`
        : `${file} that cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unreadable'})`;
    notes.problems.push({ path, found, allowed });
  }
  for (const { subject, notAfter } of certificates) {
    if (now > notAfter) notes.warnings.push({ path, found: `${subject}, which has expired`, allowed });
    else if (expiresSoon(notAfter, now)) {
      const found = `${subject}, which expires on ${expiryDate(notAfter)}`;
      notes.warnings.push({ path, found, allowed: `more than ${noticeDays} days left` });
    }
  }
  return certificates.map(({ x509 }) => x509.toString());
}
