/** What nobody looks up, told once: addresses that are not followed, and certificates without a source. */
import type { Certificate } from '../pki/certificate.ts';
import { isChecked, type Skipped } from './addresses.ts';
import type { Telling } from './source-failure.ts';
import type { RevocationPolicy } from './state.ts';

export class Notices {
  readonly #tell: (telling: Telling) => void;
  /** What was told, and still is so. */
  #told: ReadonlySet<string> = new Set();

  constructor(tell: (telling: Telling) => void) {
    this.#tell = tell;
  }

  /** Tells what it was not told of the last time. */
  tell(skipped: readonly Skipped[], unchecked: readonly Certificate[]): void {
    const tellings = new Map<string, Telling>();
    for (const each of skipped) tellings.set(`${each.action} ${each.address}`, each);
    for (const { sha256, subject } of unchecked)
      tellings.set(sha256, { action: 'not_checked', certificate: subject });
    for (const [key, telling] of tellings) if (!this.#told.has(key)) this.#tell(telling);
    this.#told = new Set(tellings.keys());
  }
}

/** The certificates that name no source where something is to be checked. */
export function uncheckedAmong(
  certificates: readonly Certificate[],
  policy: RevocationPolicy,
): readonly Certificate[] {
  if (policy.crl === 'off' && policy.ocsp === 'off') return [];
  return certificates.filter((certificate) => !isChecked(certificate, policy));
}
