/** Access to the cache folder that never throws: each kind of failure is reported once, until a write succeeds. */

export class Cache {
  readonly #report: (detail: string) => void;
  /** Error codes reported since the last successful write: messages differ for each of the many files. */
  readonly #reported = new Set<string>();

  constructor(report: (detail: string) => void) {
    this.#report = report;
  }

  /** The result of `work`; null if it failed. */
  async read<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (cause) {
      this.#fail(cause);
      return null;
    }
  }

  /** Whether `work` succeeded. */
  async write(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.#reported.clear();
      return true;
    } catch (cause) {
      this.#fail(cause);
      return false;
    }
  }

  #fail(cause: unknown): void {
    const error = cause as { code?: string; cause?: { code?: string } };
    const code = error.cause?.code ?? error.code ?? 'unknown';
    if (this.#reported.has(code)) return;
    this.#reported.add(code);
    const message = cause instanceof Error ? cause.message : String(cause);
    this.#report(
      `${message} (check the folder trust.cacheDir: a restart has only what could be stored in it)`,
    );
  }
}
