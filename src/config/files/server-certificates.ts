/** All of `listen.certificate`: every entry's files, and at most one certificate per key type. */
import type { Finding, Path } from '../document.ts';
import type { CertificateEntries } from '../schema/listen.ts';
import { valueAt } from '../yaml-values.ts';
import {
  type CertificateNote,
  type LoadedServerCertificate,
  readServerCertificate,
} from './server-certificate.ts';

interface CertificateFindings {
  readonly certificates: readonly LoadedServerCertificate[];
  readonly problems: readonly Finding[];
  readonly warnings: readonly Finding[];
}

/** `config`: whatever the YAML says, for the places of the findings. `now`: milliseconds since the epoch. */
export async function readServerCertificates(
  entries: CertificateEntries,
  { config, now }: { readonly config: unknown; readonly now: number },
): Promise<CertificateFindings> {
  const path: Path = ['listen', 'certificate'];
  const isList = Array.isArray(valueAt(config, path));
  const certificates: LoadedServerCertificate[] = [];
  const problems: Finding[] = [];
  const warnings: Finding[] = [];
  const dated: Finding[] = [];
  let isAnyValid = false;
  for (const [index, entry] of entries.entries()) {
    const place = ({ field, ...note }: CertificateNote): Finding => {
      return { path: [...path, ...(isList ? [index] : []), field], ...note };
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
