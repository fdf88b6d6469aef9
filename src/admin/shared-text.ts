/** A text that is costly to make: made at most once in a while, and shared by everyone who asks for it. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Text {
  /** Shared: many answers may hold it. */
  readonly body: Buffer;
  readonly contentType: string;
}

interface SharedTextOptions {
  readonly make: () => Promise<{ readonly body: string; readonly contentType: string }>;
  /** The least time from one making to the next, ms. */
  readonly everyMs: number;
}

/**
 * A text is never older than the question that it answers: who asks too soon after the last one was made waits for the
 * next, with all others who do.
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
    const wait = this.#madeAt + everyMs - performance.now();
    await sleep(Math.max(0, wait), undefined, { ref: false });
    // Who asks from here on gets another one.
    this.#next = null;
    this.#madeAt = performance.now();
    const { body, contentType } = await make();
    return { body: Buffer.from(body), contentType };
  }
}
