/** The current failure of a revocation source: reported when it begins or changes, not with every attempt. */
import type { RevocationNotice } from './event.ts';

export class SourceFailure {
  readonly #report: (notice: RevocationNotice) => void;
  #detail: string | null = null;
  #failures = 0;

  constructor(report: (notice: RevocationNotice) => void) {
    this.#report = report;
  }

  /** Why the last attempt failed; null: it succeeded. */
  get detail(): string | null {
    return this.#detail;
  }

  /** Consecutive attempts that failed. */
  get failures(): number {
    return this.#failures;
  }

  /** Records a failed attempt, with one notice per address; reports them when they differ from those before. */
  record(notices: readonly (RevocationNotice & { readonly detail: string })[]): void {
    this.#failures += 1;
    const detail = notices
      .map(({ address, detail: why }) => (address ? `${address}: ${why}` : why))
      .join('; ');
    if (detail === this.#detail) return;
    this.#detail = detail;
    for (const notice of notices) this.#report(notice);
  }

  /** Records one more attempt with the same outcome; counts only while there is a failure. */
  repeat(): void {
    if (this.#detail !== null) this.#failures += 1;
  }

  /** Records a success; returns whether there was a failure before. */
  clear(): boolean {
    const hadFailed = this.#detail !== null;
    this.#detail = null;
    this.#failures = 0;
    return hadFailed;
  }
}

/** The message of what was thrown, without a leading `address: `: the event has the address in a field of its own. */
export function messageOf(cause: unknown, address = ''): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.startsWith(`${address}: `) ? message.slice(address.length + 2) : message;
}
