/** When a seal is due in the audit, and which one. */
import { type KeyObject, randomBytes } from 'node:crypto';
import { findChain, readTail } from './chain-end.ts';
import type { AuditEvent } from './event.ts';
import { countLines, type Lines } from './lines.ts';
import { type SealEvent, Sealer } from './seal.ts';

export interface SealSettings {
  /** Ed25519; null: seals are not signed. */
  readonly privateKey: KeyObject | null;
  /** The longest time that lines wait for their seal, ms. */
  readonly interval: number;
}

interface SealingOptions {
  readonly sealer: Sealer;
  readonly opening: 'started' | 'resumed';
  readonly interval: number;
  readonly onEvent: (event: AuditEvent) => void;
}

/**
 * Goes on with the chain that is found in the file, or else in the newest file that it was renamed to. `path`: null for
 * a destination that cannot be read, whose chain begins at each start.
 */
export async function openSealing(
  { privateKey, interval }: SealSettings,
  { path, onEvent }: { readonly path: string | null; readonly onEvent: (event: AuditEvent) => void },
): Promise<Sealing> {
  const earlier = path === null ? null : await resume({ path, privateKey, onEvent });
  if (earlier !== null) return new Sealing({ sealer: earlier, opening: 'resumed', interval, onEvent });
  const chain = randomBytes(8).toString('hex');
  onEvent({ type: 'chain_started', chain });
  const sealer = new Sealer({ chain, last: null, privateKey });
  return new Sealing({ sealer, opening: 'started', interval, onEvent });
}

interface ResumeOptions extends Pick<SealingOptions, 'onEvent'>, Pick<SealSettings, 'privateKey'> {
  readonly path: string;
}

/** null: there is no chain, or a file cannot be read. That must not keep the gateway from running: a new chain shows it. */
async function resume({ path, privateKey, onEvent }: ResumeOptions): Promise<Sealer | null> {
  try {
    const found = await findChain(path);
    if (found === null) return null;
    const { last, tail } = found;
    const sealer = new Sealer({ chain: last.chain, last, privateKey });
    for await (const lines of readTail(tail)) sealer.add(lines, countLines(lines));
    onEvent({ type: 'chain_resumed', chain: last.chain, unsealed: sealer.lines });
    return sealer;
  } catch (error) {
    onEvent({ type: 'chain_unreadable', error: error as Error });
    return null;
  }
}

export class Sealing {
  readonly #sealer: Sealer;
  readonly #interval: number;
  readonly #onEvent: (event: AuditEvent) => void;
  #opening: 'started' | 'resumed' | null;
  #isTruncated = false;
  #isStopping = false;
  /** The interval has passed. */
  #isTime = false;
  #timer: NodeJS.Timeout | null = null;
  #onDue: () => void = () => {};
  #hasFailed = false;
  #lostAtSeal = 0;

  constructor({ sealer, opening, interval, onEvent }: SealingOptions) {
    this.#sealer = sealer;
    this.#interval = interval;
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
    if (this.#hasFailed) return;
    this.#timer ??= setTimeout(() => {
      this.#isTime = true;
      this.#onDue();
    }, this.#interval).unref();
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
    return !this.#hasFailed && (this.#isTime || isUrgent);
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
    this.#isStopping = false;
    return 'stopped';
  }
}
