/** Knows when those who ask for something again and again have heard of its change. */
import { EventEmitter, once } from 'node:events';

/** Whoever has not asked again by then has gone, ms. */
const patience = 10_000;

export class Audience {
  readonly #asked = new EventEmitter();
  readonly #known = new Set<string>();

  asksFor(thing: string): void {
    this.#known.add(thing);
    this.#asked.emit(thing);
  }

  /** Resolves when each of these that was ever asked for was so twice more: who asks again has dealt with the answer before. */
  async hasHeardOf(things: readonly string[]): Promise<void> {
    const signal = AbortSignal.timeout(patience);
    const waiting = things
      .filter((thing) => this.#known.has(thing))
      .map(async (thing) => {
        await once(this.#asked, thing, { signal });
        await once(this.#asked, thing, { signal });
      });
    await Promise.allSettled(waiting);
  }
}
