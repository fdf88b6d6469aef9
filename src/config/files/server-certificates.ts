/** Reads all entries of `listen.certificate`: at most one certificate for each key type. */
import type { Diagnostic } from '../diagnostic.ts';
import type { Located } from '../parse.ts';
import {
  type CertificateDiagnostic,
  type CertificateFiles,
  type LoadedServerCertificate,
  readServerCertificate,
} from './server-certificate.ts';

interface CertificatesReading {
  readonly certificates: readonly LoadedServerCertificate[];
  readonly problems: readonly Diagnostic[];
  readonly warnings: readonly Diagnostic[];
}

/** Reports what is wrong in a file, without throwing. `now`: milliseconds since the epoch. */
export async function readServerCertificates(
  entries: readonly Located<CertificateFiles>[],
  now: number,
): Promise<CertificatesReading> {
  const certificates: LoadedServerCertificate[] = [];
  const problems: Diagnostic[] = [];
  const warnings: Diagnostic[] = [];
  const dateProblems: Diagnostic[] = [];
  let isAnyValid = false;
  for (const { path, entry } of entries) {
    const locate = ({ field, ...fault }: CertificateDiagnostic): Diagnostic => {
      return { path: [...path, field], ...fault };
    };
    const reading = await readServerCertificate(entry, { now, purpose: 'server' });
    const { loaded } = reading;
    problems.push(...reading.problems.map(locate));
    dateProblems.push(...reading.dateProblems.map(locate));
    warnings.push(...reading.warnings.map(locate));
    if (loaded === undefined) continue;
    if (certificates.some(({ keyType }) => keyType === loaded.keyType)) {
      const found = `a second ${loaded.keyType} certificate`;
      problems.push(locate({ field: 'chain', found, allowed: 'at most one certificate per key type' }));
    }
    certificates.push(loaded);
    isAnyValid ||= reading.dateProblems.length === 0;
  }
  // An expired certificate is only a warning while another one is valid: clients still get that one.
  (isAnyValid ? warnings : problems).push(...dateProblems);
  return { certificates, problems, warnings };
}
