/** Reports each skipped address and each certificate without a revocation source once, as long as that lasts. */
import type { Certificate } from '../pki/certificate.ts';
import { isChecked, type SkippedAddress } from './addresses.ts';
import type { RevocationNotice } from './event.ts';
import type { RevocationPolicy } from './state.ts';

export class CoverageNotices {
  readonly #report: (notice: RevocationNotice) => void;
  /** Keys of the last call. */
  #reported: ReadonlySet<string> = new Set();

  constructor(report: (notice: RevocationNotice) => void) {
    this.#report = report;
  }

  /** Reports what was not in the last call. */
  update(skipped: readonly SkippedAddress[], unchecked: readonly Certificate[]): void {
    const notices = new Map<string, RevocationNotice>();
    for (const each of skipped) notices.set(`${each.action} ${each.address}`, each);
    for (const { sha256, subject } of unchecked)
      notices.set(sha256, { action: 'not_checked', certificate: subject });
    for (const [key, notice] of notices) if (!this.#reported.has(key)) this.#report(notice);
    this.#reported = new Set(notices.keys());
  }
}

/** The certificates without a revocation source; none where CRL and OCSP are both off. */
export function uncheckedAmong(
  certificates: readonly Certificate[],
  policy: RevocationPolicy,
): readonly Certificate[] {
  if (policy.crl === 'off' && policy.ocsp === 'off') return [];
  return certificates.filter((certificate) => !isChecked(certificate, policy));
}
