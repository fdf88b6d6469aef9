/** Writes audit lines without blocking: one write in flight, the rest in a bounded queue. */
import { write as writeCallback } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { AuditCounts } from '../telemetry/audit-counts.ts';
import { Chunks } from './chunks.ts';
import type { Output } from './destination.ts';
import { LineQueue } from './line-queue.ts';
import { countLines, countRecords, type Lines, newline } from './lines.ts';
import { type RotateSettings, Rotation } from './rotation.ts';
import type { Sealing } from './seals/sealing.ts';
import { AuditFailure } from './write-failure.ts';
import type { AuditEvent, Records } from './writer-event.ts';

const write = promisify(writeCallback);

const maxQueuedBytes = 64 * 1024 * 1024;
const retryMs = 50;
const closeGraceMs = 5_000;
const defaultStallMs = 10_000;
/** How often an idle writer checks its path: a deleted file that stays open still uses disk space. */
const idleCheckMs = 5_000;

export interface QueuedWriterOptions {
  readonly output: Output;
  /** null: no seals. */
  readonly sealing: Sealing | null;
  readonly counts: AuditCounts;
  /** Absent: the file is not rotated by its size. */
  readonly rotate?: RotateSettings | undefined;
  readonly onEvent: (event: AuditEvent) => void;
  /** How long the destination may accept no byte before it counts as failing, ms; default 10 s. */
  readonly stallMs?: number;
}

/** `AuditWriter` (writer.ts) describes its methods. */
export class QueuedWriter {
  lost = 0;
  readonly counts: AuditCounts;
  readonly #output: Output;
  readonly #onEvent: (event: AuditEvent) => void;
  readonly #failure: AuditFailure;
  readonly #stallMs: number;
  readonly #idleCheck: NodeJS.Timeout;
  readonly #queue = new LineQueue();
  readonly #sealing: Sealing | null;
  readonly #chunks: Chunks;
  /** The chunk being written, from `#offset` on. */
  #chunk: Lines | null = null;
  #offset = 0;
  /** The offset in the chunk at which the current failure began. */
  #failedAt = 0;
  /** The path was checked since the last write. */
  #isFollowed = false;
  /** Why the path cannot be opened while lines go to the moved file. */
  #reopenError: Error | null = null;
  #busy = false;
  #closed = false;
  /** The end of the part of a line that an earlier process left in the file, until it is written. */
  #part: Lines | null = null;
  #flushed: (() => void)[] = [];

  constructor({ output, sealing, counts, rotate, onEvent, ...options }: QueuedWriterOptions) {
    const { stallMs = defaultStallMs } = options;
    this.#output = output;
    this.#sealing = sealing;
    this.counts = counts;
    this.#stallMs = stallMs;
    this.#onEvent = onEvent;
    this.#failure = new AuditFailure(onEvent);
    const rotation = rotate === undefined ? null : new Rotation({ ...rotate, output, counts, onEvent });
    this.#chunks = new Chunks({ queue: this.#queue, sealing, rotation, counts, lost: () => this.lost });
    this.#idleCheck = setInterval(() => this.reopen(), idleCheckMs).unref();
    sealing?.onDue(() => this.reopen());
    if (output.endsInPart) this.#part = { bytes: Buffer.of(newline), done: undefined, isSeal: true };
    // The first seal of this process.
    if (sealing !== null || output.endsInPart) this.reopen();
  }

  get queuedBytes(): number {
    return this.#queue.bytes + (this.#chunk === null ? 0 : this.#chunk.bytes.length - this.#offset);
  }

  get failingSince(): number | null {
    return this.#failure.since;
  }

  get isWriting(): boolean {
    return this.#failure.records === null || this.#failure.records === 'elsewhere';
  }

  write(lines: string | Uint8Array, done?: () => void): void {
    if (lines.length === 0) return done?.();
    const bytes = typeof lines === 'string' ? Buffer.from(lines) : lines;
    const held = this.#queue.bytes + (this.#chunk?.bytes.length ?? 0);
    if (this.#isEnded || held + bytes.length > maxQueuedBytes) {
      this.#lose(countLines(bytes));
      return done?.();
    }
    this.#queue.push({ bytes, done });
    if (!this.#busy) void this.#run();
  }

  /** Nothing is written any more: behind the seal `stopped` a line would look like one that was added later. */
  get #isEnded(): boolean {
    return this.#closed || this.#sealing?.isEnded === true;
  }

  #lose(records: number): void {
    this.lost += records;
    if (this.#isEnded) return;
    this.#begin(new Error('records arrive faster than the destination accepts them'));
    this.#failure.lose(records);
    this.#sealing?.expect();
  }

  flush(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => this.#flushed.push(resolve));
  }

  async close(): Promise<void> {
    clearInterval(this.#idleCheck);
    const late = Promise.withResolvers<void>();
    const deadline = setTimeout(() => {
      this.#abandon();
      late.resolve();
    }, closeGraceMs);
    await this.flush();
    this.#sealing?.stop();
    this.reopen();
    await this.flush();
    await Promise.race([this.#sealing?.finishCopy(), late.promise]);
    clearTimeout(deadline);
    this.#closed = true;
    this.#output.close();
  }

  reopen(): void {
    if (!this.#busy && !this.#closed) void this.#run();
  }

  /** Writes everything that waits and the seals that are due; if there is nothing, only checks the path. */
  async #run(): Promise<void> {
    this.#busy = true;
    if (this.#part !== null && !(await this.#endPart(this.#part))) return;
    for (let isFirst = true; ; isFirst = false) {
      if (isFirst || this.#chunks.isWaiting || this.#failure.since !== null) await this.#checkPath();
      const chunk = this.#closed ? null : await this.#chunks.next();
      if (this.#closed) break;
      if (chunk === null) {
        // A line may have come since the queue was found empty.
        if (this.#chunks.isWaiting) continue;
        break;
      }
      if (!(await this.#put(chunk))) return;
      chunk.done?.();
      if (chunk.isSeal) this.#noteSeal(chunk);
    }
    if (this.#busy) this.#idle();
  }

  /** Before the first seal, which covers this line as it is. `false`: abandoned. */
  async #endPart(part: Lines): Promise<boolean> {
    if (!(await this.#put(part))) return false;
    if (this.#part !== null) this.#sealing?.endPart();
    this.#part = null;
    return true;
  }

  /** The part is at the end of another file now, or was removed. */
  #dropPart(): void {
    this.#part = null;
    this.#sealing?.dropPart();
    this.#offset = this.#chunk?.bytes.length ?? 0;
  }

  #noteSeal({ bytes }: Lines): void {
    this.#sealing?.keepCopy(bytes);
    this.counts.seals++;
    this.counts.lastSealAt = Date.now();
    this.counts.lastSealSeq = this.#sealing?.seq ?? null;
  }

  /** Ignores errors: if there is no file to write to, the next write reports it. */
  async #checkPath(): Promise<void> {
    this.#isFollowed = await this.#follow().then(
      () => true,
      () => false,
    );
    // The next record may come hours later; the failure must not be reported until then.
    const isOpen = this.#isFollowed && this.#reopenError === null;
    if (isOpen && this.#queue.isEmpty && this.#failure.records === 'elsewhere') this.#failure.end(() => 0);
  }

  #idle(): void {
    this.#busy = false;
    for (const resolve of this.#flushed.splice(0)) resolve();
  }

  /** Retries until the whole chunk is written (true) or abandoned (false). */
  async #put(chunk: Lines): Promise<boolean> {
    this.#chunk = chunk;
    this.#offset = 0;
    this.#failedAt = 0;
    const stallMs = this.#stallMs;
    const stall = setTimeout(
      () => this.#begin(new Error(`the destination accepted no byte for ${stallMs / 1000} s`)),
      stallMs,
    );
    let pause = 1;
    while (this.#chunk === chunk && this.#offset < chunk.bytes.length) {
      try {
        await this.#attempt(chunk);
        stall.refresh();
        pause = 1;
      } catch (cause) {
        const error = cause as NodeJS.ErrnoException;
        // EAGAIN is a full pipe: not a failure unless its reader accepts nothing for `stallMs`.
        if (error.code === 'EAGAIN') pause = Math.min(2 * pause, retryMs);
        else pause = this.#fails(error);
        if (this.#chunk === chunk) await sleep(pause);
      }
    }
    clearTimeout(stall);
    if (this.#chunk !== chunk) return false;
    this.#chunk = null;
    return true;
  }

  async #attempt(chunk: Lines): Promise<void> {
    const { bytes } = chunk;
    if (!this.#isFollowed || this.#failure.since !== null) await this.#follow();
    this.#isFollowed = true;
    if (this.#chunk !== chunk) return;
    const rest = bytes.length - this.#offset;
    const { bytesWritten } = await write(this.#output.descriptor, bytes, this.#offset, rest, null);
    this.#output.wrote(bytesWritten);
    if (this.#chunk !== chunk) return;
    this.#offset += bytesWritten;
    if (this.#reopenError !== null) this.#begin(this.#reopenError, 'elsewhere');
    else if (bytesWritten === rest) this.#recover(chunk);
  }

  #recover(chunk: Lines): void {
    const kept = () => countRecords(chunk, this.#failedAt) + this.#queue.countRecords();
    this.#failure.end(this.#failure.records === 'elsewhere' ? () => 0 : kept);
  }

  /** Throws if there is no file to write to. */
  async #follow(): Promise<void> {
    const { place, isTruncated } = await this.#output.follow();
    this.#reopenError = place instanceof Error ? place : null;
    if (isTruncated) {
      this.counts.truncations++;
      this.#sealing?.noteTruncation();
      this.#onEvent({ type: 'truncated' });
    }
    if (place === 'reopened') this.#onEvent({ type: 'reopened' });
    else if (!isTruncated) return;
    if (this.#part !== null) return this.#dropPart();
    // A line that was partly written to the old file, or before the file was shortened, is written again as a whole.
    if (this.#chunk !== null && this.#offset > 0)
      this.#offset = this.#chunk.bytes.lastIndexOf(newline, this.#offset - 1) + 1;
  }

  /** Milliseconds until the next attempt. */
  #fails(error: NodeJS.ErrnoException): number {
    // A named pipe may get a new reader; the pipe of stdout or stderr cannot.
    const final = error.code === 'EPIPE' && !this.#output.isPath;
    this.#begin(error, final ? 'lost' : 'kept');
    if (final) this.#abandon();
    return retryMs;
  }

  #begin(error: Error, records: Records = 'kept'): void {
    if (this.#failure.since === null) this.#failedAt = this.#offset;
    this.#failure.begin(error, records);
  }

  /** Counts everything that waits as lost and closes; does not wait for a write that hangs in the kernel. */
  #abandon(): void {
    this.#closed = true;
    if (this.#chunk !== null) this.lost += countRecords(this.#chunk, this.#offset);
    this.lost += this.#queue.countRecords();
    // `done` is not called for the chunk: the kernel may still read its bytes.
    this.#queue.clear();
    this.#chunk = null;
    this.#idle();
  }
}
