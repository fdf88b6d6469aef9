/** When a seal is due in the audit, and which one. */

import { countLines, type Lines } from '../lines.ts';
import type { AuditEvent } from '../writer-event.ts';
import type { SealEvent, Sealer } from './seal.ts';
import type { SealCopy } from './seal-copy.ts';

export interface SealingOptions {
  readonly sealer: Sealer;
  readonly opening: 'started' | 'resumed';
  readonly interval: number;
  /** null: no copy of the last seal is kept. */
  readonly copy: SealCopy | null;
  readonly onEvent: (event: AuditEvent) => void;
}

export class Sealing {
  readonly #sealer: Sealer;
  readonly #interval: number;
  readonly #copy: SealCopy | null;
  readonly #onEvent: (event: AuditEvent) => void;
  #opening: 'started' | 'resumed' | null;
  #isTruncated = false;
  #isStopping = false;
  #isEnded = false;
  /** The interval has passed. */
  #isTime = false;
  #timer: NodeJS.Timeout | null = null;
  #onDue: () => void = () => {};
  #hasFailed = false;
  #lostAtSeal = 0;

  constructor({ sealer, opening, interval, copy, onEvent }: SealingOptions) {
    this.#sealer = sealer;
    this.#interval = interval;
    this.#copy = copy;
    this.#onEvent = onEvent;
    this.#opening = opening;
  }

  /** Sets what is called when the interval has passed. */
  onDue(call: () => void): void {
    this.#onDue = call;
  }

  /** The number of the last seal in its chain; null: none was made. */
  get seq(): number | null {
    return this.#sealer.last?.seq ?? null;
  }

  /** Whether the last seal of the process was made: nothing may be written behind it. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  /** Whether lines were written since the last seal. */
  get hasLines(): boolean {
    return !this.#hasFailed && this.#sealer.lines > 0;
  }

  /** To be called with each chunk in the order of the file. */
  add({ bytes }: Lines): void {
    if (this.#hasFailed) return;
    this.#sealer.add(bytes, countLines(bytes));
    this.expect();
  }

  /** Makes a seal due when the interval has passed. */
  expect(): void {
    if (this.#hasFailed || this.#isEnded) return;
    this.#timer ??= setTimeout(() => {
      this.#isTime = true;
      this.#onDue();
    }, this.#interval).unref();
  }

  /** The part of a line that an earlier process left in the file got its newline. */
  endPart(): void {
    this.#sealer.endPart();
  }

  /** The part of a line that an earlier process left is not in the file any more, or ends a rotated file. */
  dropPart(): void {
    this.#sealer.dropPart();
  }

  /** To be called when a seal is written; `line`: with its newline. */
  keepCopy(line: Uint8Array): void {
    this.#copy?.note(line);
  }

  /** Resolves when the copy of the last seal is written, or cannot be. */
  async finishCopy(): Promise<void> {
    await this.#copy?.finish();
  }

  /** Makes a seal due at once that says so. */
  noteTruncation(): void {
    this.#isTruncated = true;
  }

  /** Makes the last seal due as soon as no line waits. */
  stop(): void {
    this.#isStopping = true;
  }

  /** `isIdle`: no line waits. */
  isDue(isIdle: boolean): boolean {
    const isUrgent = this.#opening !== null || this.#isTruncated || (this.#isStopping && isIdle);
    return !this.#hasFailed && !this.#isEnded && (this.#isTime || isUrgent);
  }

  /** The seal of what was added since the last one. `lost`: records lost since the start. null: it cannot be made. */
  seal({ lost, isIdle }: { readonly lost: number; readonly isIdle: boolean }): Lines | null {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isTime = false;
    const event = this.#takeEvent(isIdle);
    try {
      const line = this.#sealer.seal(event, { now: Date.now(), lost: lost - this.#lostAtSeal });
      this.#lostAtSeal = lost;
      return { bytes: Buffer.from(line), done: undefined, isSeal: true };
    } catch (cause) {
      // The hash of the lines is used up: no later seal could be right. A restart reads the lines again.
      this.#hasFailed = true;
      this.#onEvent({
        type: 'seal_failed',
        error: cause instanceof Error ? cause : new Error(String(cause)),
      });
      return null;
    }
  }

  /** One at a time: the opening seal is the first of a process, and nothing follows the last one. */
  #takeEvent(isIdle: boolean): SealEvent {
    const opening = this.#opening;
    if (opening !== null) {
      this.#opening = null;
      return opening;
    }
    if (this.#isTruncated) {
      this.#isTruncated = false;
      return 'truncated';
    }
    if (!this.#isStopping || !isIdle) return 'sealed';
    this.#isEnded = true;
    return 'stopped';
  }
}
