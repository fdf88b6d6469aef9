/** What is told of an audit destination that does not take records: when it begins, when records are given up, the end. */

export type AuditEvent =
  /** Records cannot be written; they are kept and tried again, unless it is `final`. Once until it recovers. */
  | { readonly type: 'failing'; readonly error: Error; readonly final: boolean }
  /** As many wait as may: from now on records are given up. Once until it recovers. */
  | { readonly type: 'full' }
  /** Records are written again: so many have waited, so many were given up, in so many milliseconds. */
  | {
      readonly type: 'recovered';
      readonly kept: number;
      readonly givenUp: number;
      readonly milliseconds: number;
    }
  /** The path named another file than the open one, or none: lines go into a new one from now on. */
  | { readonly type: 'reopened' };

interface Episode {
  /** Milliseconds since the epoch. */
  readonly since: number;
  givenUp: number;
  full: boolean;
}

export class AuditFailure {
  readonly #onEvent: (event: AuditEvent) => void;
  #episode: Episode | null = null;

  constructor(onEvent: (event: AuditEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** Milliseconds since the epoch; null: records are written. */
  get since(): number | null {
    return this.#episode?.since ?? null;
  }

  begin(error: Error, final: boolean): void {
    if (this.#episode !== null) return;
    this.#episode = { since: Date.now(), givenUp: 0, full: false };
    this.#onEvent({ type: 'failing', error, final });
  }

  /** Records are lost because as many wait as may. */
  giveUp(records: number): void {
    if (this.#episode === null) return;
    if (!this.#episode.full) this.#onEvent({ type: 'full' });
    this.#episode.full = true;
    this.#episode.givenUp += records;
  }

  /** `kept`: records that have waited until now. */
  end(kept: () => number): void {
    if (this.#episode === null) return;
    const { since, givenUp } = this.#episode;
    this.#episode = null;
    this.#onEvent({ type: 'recovered', kept: kept(), givenUp, milliseconds: Date.now() - since });
  }
}
