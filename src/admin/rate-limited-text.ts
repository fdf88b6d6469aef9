/** A text that is expensive to build: built at a limited rate and shared by all readers. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Text {
  /** Shared by several responses: do not change it. */
  readonly body: Buffer;
  readonly contentType: string;
}

interface SharedTextOptions {
  readonly make: () => Promise<{ readonly body: string; readonly contentType: string }>;
  /** Minimum time between two builds, ms. */
  readonly everyMs: number;
}

/**
 * A text is never older than the read that returns it: a read that comes too soon after a build waits for the next one,
 * together with all other such reads.
 */
export class SharedText {
  readonly #options: SharedTextOptions;
  #next: Promise<Text> | null = null;
  #madeAt = Number.NEGATIVE_INFINITY;

  constructor(options: SharedTextOptions) {
    this.#options = options;
  }

  /** Rejects as `make` does. */
  read(): Promise<Text> {
    this.#next ??= this.#make();
    return this.#next;
  }

  async #make(): Promise<Text> {
    const { make, everyMs } = this.#options;
    const left = () => Math.max(0, this.#madeAt + everyMs - performance.now());
    // A timer counts from the start of the turn of the event loop that sets it, so after a long turn it fires early.
    do await sleep(left(), undefined, { ref: false });
    while (left() > 0);
    // Later reads get the next build.
    this.#next = null;
    const made = make();
    this.#madeAt = performance.now();
    const { body, contentType } = await made;
    return { body: Buffer.from(body), contentType };
  }
}
