/** Reads the CA certificates that verify a server, from a file of PEM or DER. */
import { readFile } from 'node:fs/promises';
import { GatewayError } from '../../errors.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { expiresSoon, expiryDate, noticeDays } from '../../pki/expiry-warning.ts';
import { readCertificates } from '../../pki/pem.ts';
import type { Diagnostics, Path } from '../diagnostic.ts';

export interface ReadContext {
  /** Path of the mapping that names the file. */
  readonly at: Path;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly diagnostics: Diagnostics;
}

/** PEM of each CA. The file is the field `ca`. Reports what is wrong with it, without throwing. */
export async function readAuthorities(
  file: string,
  { at, now, diagnostics }: ReadContext,
): Promise<string[]> {
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
    diagnostics.problems.push({ path, found, allowed });
  }
  for (const { subject, notAfter } of certificates) {
    if (now > notAfter) diagnostics.warnings.push({ path, found: `${subject}, which has expired`, allowed });
    else if (expiresSoon(notAfter, now)) {
      const found = `${subject}, which expires on ${expiryDate(notAfter)}`;
      diagnostics.warnings.push({ path, found, allowed: `more than ${noticeDays} days left` });
    }
  }
  return certificates.map(({ x509 }) => x509.toString());
}
