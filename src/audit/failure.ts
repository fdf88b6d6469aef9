/** What is told of an audit destination that does not take records: when it begins, when records are given up, the end. */

/**
 * What becomes of records meanwhile: `kept` in memory and tried again; `lost`, for the destination is gone for good; written
 * `elsewhere`, into the file that was open before, for the path cannot be opened.
 */
export type Records = 'kept' | 'lost' | 'elsewhere';

export type AuditEvent =
  /** Records cannot be written where they belong. Again only where something else becomes of them. */
  | { readonly type: 'failing'; readonly error: Error; readonly records: Records }
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
  records: Records;
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

  /** null: they are written where they belong. */
  get records(): Records | null {
    return this.#episode?.records ?? null;
  }

  begin(error: Error, records: Records): void {
    if (this.#episode?.records === records) return;
    if (this.#episode === null) this.#episode = { since: Date.now(), records, givenUp: 0, full: false };
    this.#episode.records = records;
    this.#onEvent({ type: 'failing', error, records });
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
