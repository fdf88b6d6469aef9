/** The disk, as far as it plays along: what fails is told when it begins, and never thrown. */

export class Cache {
  readonly #tell: (detail: string) => void;
  /** Error codes since something could be written: the many files would make every failure another one. */
  readonly #told = new Set<string>();

  constructor(tell: (detail: string) => void) {
    this.#tell = tell;
  }

  /** null: it could not be read. */
  async read<T>(work: () => Promise<T>): Promise<T | null> {
    try {
      return await work();
    } catch (cause) {
      this.#fails(cause);
      return null;
    }
  }

  /** Whether it could be written. */
  async write(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      this.#told.clear();
      return true;
    } catch (cause) {
      this.#fails(cause);
      return false;
    }
  }

  #fails(cause: unknown): void {
    const error = cause as { code?: string; cause?: { code?: string } };
    const code = error.cause?.code ?? error.code ?? 'unknown';
    if (this.#told.has(code)) return;
    this.#told.add(code);
    this.#tell(cause instanceof Error ? cause.message : String(cause));
  }
}
