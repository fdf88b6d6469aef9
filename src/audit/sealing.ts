/** When a seal is due in the audit, and which one. */
import { type KeyObject, randomBytes } from 'node:crypto';
import type { AuditCounts } from '../telemetry/audit-counts.ts';
import { contentOf, findChain, findSeal, type TailPart } from './chain-end.ts';
import { judgeChain } from './chain-start.ts';
import type { AuditEvent } from './event.ts';
import { countLines, type Lines } from './lines.ts';
import { type SealEvent, Sealer } from './seal.ts';
import { SealCopy, type SealCopyOptions } from './seal-copy.ts';
import type { ReadSeal } from './seal-reader.ts';

export interface SealSettings {
  /** Ed25519; null: seals are not signed. */
  readonly privateKey: KeyObject | null;
  /** The longest time that lines wait for their seal, ms. */
  readonly interval: number;
  /** Where a copy of the last seal is kept, outside the folder of the audit file. Absent: nowhere. */
  readonly copy?: string | undefined;
}

interface SealingOptions {
  readonly sealer: Sealer;
  readonly opening: 'started' | 'resumed';
  readonly interval: number;
  /** null: no copy of the last seal is kept. */
  readonly copy: SealCopy | null;
  readonly onEvent: (event: AuditEvent) => void;
}

interface OpeningOptions extends Omit<SealCopyOptions, 'file' | 'counts'> {
  /** null: a destination that cannot be read, whose chain begins at each start. */
  readonly path: string | null;
  readonly counts: Pick<AuditCounts, 'sealCopyFailures' | 'sealsMissing'>;
}

/** Goes on with the chain that is found in the file, or else in the newest file that it was renamed to. */
export async function openSealing(settings: SealSettings, options: OpeningOptions): Promise<Sealing> {
  const { privateKey, interval, copy: file = null } = settings;
  const { path, onEvent } = options;
  const copy = path === null || file === null ? null : new SealCopy({ ...options, file });
  const common = { interval, copy, onEvent };
  const earlier = path === null ? null : await resume({ ...options, privateKey, path, copy });
  if (earlier !== null) return new Sealing({ ...common, sealer: earlier, opening: 'resumed' });
  const chain = randomBytes(8).toString('hex');
  onEvent({ type: 'chain_started', chain });
  const sealer = new Sealer({ chain, last: null, privateKey });
  return new Sealing({ ...common, sealer, opening: 'started' });
}

interface ResumeOptions extends OpeningOptions, Pick<SealSettings, 'privateKey'> {
  readonly path: string;
  readonly copy: SealCopy | null;
}

/** null: there is no chain to go on with, or a file cannot be read. That must not keep the gateway from running: a new chain shows it. */
async function resume(options: ResumeOptions): Promise<Sealer | null> {
  const { path, privateKey, copy, onEvent } = options;
  try {
    const found = await findChain(path);
    const start = await judgeChain({
      ...{ last: found?.last ?? null, isSearched: found !== null, privateKey },
      remembered: (await copy?.read()) ?? null,
      find: (seal) => findSeal(path, seal),
    });
    if (start.missing !== null) reportMissing(options, start.missing);
    if (start.how === 'new') {
      if (start.cause !== null) onEvent({ type: 'seal_refused', cause: start.cause });
      return null;
    }
    const { chain } = start.behind;
    const sealer = new Sealer({ chain, last: start.behind, privateKey });
    await addTail(sealer, { path, tail: found?.tail ?? [] });
    onEvent({ type: 'chain_resumed', chain, unsealed: sealer.lines + (sealer.hasPart ? 1 : 0) });
    return sealer;
  } catch (error) {
    onEvent({ type: 'chain_unreadable', error: error as Error });
    return null;
  }
}

function reportMissing({ counts, onEvent }: ResumeOptions, { chain, seq, time }: ReadSeal): void {
  counts.sealsMissing++;
  onEvent({ type: 'seals_missing', chain, seq, time });
}

/** A part of a line at the end of a rotated file counts for nothing. The writer ends the one of the current file. */
async function addTail(
  sealer: Sealer,
  { path, tail }: { readonly path: string; readonly tail: readonly TailPart[] },
): Promise<void> {
  for (const part of tail) {
    for await (const bytes of contentOf(part)) sealer.addPart(bytes);
    if (part.path !== path) sealer.dropPart();
  }
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
