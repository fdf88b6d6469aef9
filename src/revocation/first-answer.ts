/** Whether a feed has data or a failure to report: handshakes and the start of the gateway wait for that. */

export class FirstAnswer {
  readonly #answered = Promise.withResolvers<void>();
  #isPending = true;

  /** Resolves with the first answer; null: it has come. */
  get pending(): Promise<void> | null {
    return this.#isPending ? this.#answered.promise : null;
  }

  resolve(): void {
    this.#isPending = false;
    this.#answered.resolve();
  }
}
