/** Tracks a failure of the audit destination and reports its begin, the first lost record and its end. */

import type { AuditEvent, Records } from './writer-event.ts';

interface FailureState {
  /** Milliseconds since the epoch. */
  readonly since: number;
  records: Records;
  lost: number;
  full: boolean;
}

/** Whether new messages are refused, because no evidence of them could be kept. */
export function refusesMessages(
  { onFailure }: { readonly onFailure: 'continue' | 'refuse' },
  { isWriting }: { readonly isWriting: boolean },
): boolean {
  return !isWriting && onFailure === 'refuse';
}

export class AuditFailure {
  readonly #onEvent: (event: AuditEvent) => void;
  #state: FailureState | null = null;

  constructor(onEvent: (event: AuditEvent) => void) {
    this.#onEvent = onEvent;
  }

  /** Milliseconds since the epoch; null: records are written. */
  get since(): number | null {
    return this.#state?.since ?? null;
  }

  /** null: records are written to the destination. */
  get records(): Records | null {
    return this.#state?.records ?? null;
  }

  begin(error: Error, records: Records): void {
    if (this.#state?.records === records) return;
    if (this.#state === null) this.#state = { since: Date.now(), records, lost: 0, full: false };
    this.#state.records = records;
    this.#onEvent({ type: 'failing', error, records });
  }

  /** Counts records that are lost because the queue is full. */
  lose(records: number): void {
    if (this.#state === null) return;
    if (!this.#state.full) this.#onEvent({ type: 'full' });
    this.#state.full = true;
    this.#state.lost += records;
  }

  /** `kept`: returns the number of records that waited. */
  end(kept: () => number): void {
    if (this.#state === null) return;
    const { since, lost } = this.#state;
    this.#state = null;
    this.#onEvent({ type: 'recovered', kept: kept(), lost, milliseconds: Date.now() - since });
  }
}
