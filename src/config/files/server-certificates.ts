/** All of `listen.certificate`: every entry's files, and at most one certificate per key type. */
import type { Finding } from '../document.ts';
import type { Located } from '../parse.ts';
import {
  type CertificateFiles,
  type CertificateNote,
  type LoadedServerCertificate,
  readServerCertificate,
} from './server-certificate.ts';

interface CertificateFindings {
  readonly certificates: readonly LoadedServerCertificate[];
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** Reports what is wrong in a file, without throwing. `now`: milliseconds since the epoch. */
export async function readServerCertificates(
  entries: readonly Located<CertificateFiles>[],
  now: number,
): Promise<CertificateFindings> {
  const certificates: LoadedServerCertificate[] = [];
  const problems: Finding[] = [];
  const warnings: Finding[] = [];
  const dated: Finding[] = [];
  let isAnyValid = false;
  for (const { path, entry } of entries) {
    const place = ({ field, ...note }: CertificateNote): Finding => {
      return { path: [...path, field], ...note };
    };
    const reading = await readServerCertificate(entry, { now, purpose: 'server' });
    const { loaded } = reading;
    problems.push(...reading.problems.map(place));
    dated.push(...reading.dated.map(place));
    warnings.push(...reading.warnings.map(place));
    if (loaded === undefined) continue;
    if (certificates.some(({ keyType }) => keyType === loaded.keyType)) {
      const found = `a second ${loaded.keyType} certificate`;
      problems.push(place({ field: 'chain', found, allowed: 'at most one certificate per key type' }));
    }
    certificates.push(loaded);
    isAnyValid ||= reading.dated.length === 0;
  }
  // Of two certificates the one that has expired takes nothing from those who are shown the other one.
  (isAnyValid ? warnings : problems).push(...dated);
  return { certificates, problems, warnings };
}
