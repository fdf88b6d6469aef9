/** What is wrong with a revocation source: told when it begins or changes, and not with every attempt. */
import type { RevocationEvent } from './event.ts';

export type Telling = Pick<RevocationEvent, 'action' | 'address' | 'certificate' | 'detail'>;

export class Problem {
  readonly #tell: (telling: Telling) => void;
  #detail: string | null = null;
  #failures = 0;

  constructor(tell: (telling: Telling) => void) {
    this.#tell = tell;
  }

  /** null: the last attempt went well. */
  get detail(): string | null {
    return this.#detail;
  }

  /** Attempts in a row that failed. */
  get failures(): number {
    return this.#failures;
  }

  /** One attempt failed, for these reasons. */
  occurs(tellings: readonly (Telling & { readonly detail: string })[]): void {
    this.#failures += 1;
    const detail = tellings
      .map(({ address, detail: why }) => (address ? `${address}: ${why}` : why))
      .join('; ');
    if (detail === this.#detail) return;
    this.#detail = detail;
    for (const telling of tellings) this.#tell(telling);
  }

  /** The same as before, if anything. */
  goesOn(): void {
    if (this.#detail !== null) this.#failures += 1;
  }

  /** True: there was one. */
  ends(): boolean {
    const ended = this.#detail !== null;
    this.#detail = null;
    this.#failures = 0;
    return ended;
  }
}

/** The message of what was thrown, without the address that the event names anyway. */
export function reasonOf(cause: unknown, address = ''): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.startsWith(`${address}: `) ? message.slice(address.length + 2) : message;
}
