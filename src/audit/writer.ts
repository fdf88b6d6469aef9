/** Writes audit lines in order, without blocking: one write in flight, the rest in a bounded queue. */
import { write as writeCallback } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type AuditCounts, noAuditCounts } from '../telemetry/audit-counts.ts';
import { type AuditEvent, AuditFailure, type Records } from './failure.ts';
import { countLines, countLinesOf, joined, type Lines, newline } from './lines.ts';
import { type Output, openPath, openStandard } from './output.ts';

const write = promisify(writeCallback);

const maxQueuedBytes = 64 * 1024 * 1024;
const retryMs = 50;
const closeGraceMs = 5_000;
const defaultStallMs = 10_000;
/** How often an idle writer checks its path: a deleted file that stays open still uses disk space. */
const idleCheckMs = 5_000;

export interface AuditWriterOptions {
  /** `stdout`, `stderr` or the path of a file, which is appended to, or created with mode 0640. */
  readonly destination: string;
  readonly onEvent: (event: AuditEvent) => void;
  /** How long the destination may accept no byte before it counts as failing, ms; default 10 s. */
  readonly stallMs?: number;
}

export interface AuditWriter {
  /**
   * Queues whole lines, each with its newline. Bytes are not copied: do not change them before `done` is called. Never
   * waits: beyond 64 MiB of queue the lines are lost and counted.
   */
  write(lines: string | Uint8Array, done?: () => void): void;
  /** Settles when everything queued is written or lost. */
  flush(): Promise<void>;
  /** Flushes for at most five seconds, then counts the rest as lost. */
  close(): Promise<void>;
  /** Opens the file again if its path names another one. Each write does this too. */
  reopen(): void;
  /** Records lost since the start. */
  readonly lost: number;
  readonly counts: Readonly<AuditCounts>;
  /** Bytes that wait to be written. */
  readonly queuedBytes: number;
  /** Milliseconds since the epoch; null: records are written to the destination. */
  readonly failingSince: number | null;
  /** Whether records are written, to the destination or to the moved file. */
  readonly isWriting: boolean;
}

/** @throws GatewayError `AUDIT_DESTINATION` if the file cannot be opened; its folder must exist. */
export async function openAuditWriter(options: AuditWriterOptions): Promise<AuditWriter> {
  const { destination } = options;
  if (destination === 'stdout') return new QueuedWriter(openStandard(1), options);
  if (destination === 'stderr') return new QueuedWriter(openStandard(2), options);
  return new QueuedWriter(await openPath(destination), options);
}

class QueuedWriter implements AuditWriter {
  lost = 0;
  readonly counts = noAuditCounts();
  readonly #output: Output;
  readonly #onEvent: (event: AuditEvent) => void;
  readonly #failure: AuditFailure;
  readonly #stallMs: number;
  readonly #idleCheck: NodeJS.Timeout;
  #queue: Lines[] = [];
  #waitingBytes = 0;
  /** The chunk being written, from `#offset` on. */
  #chunk: Lines | null = null;
  #offset = 0;
  /** The offset in the chunk at which the current failure began. */
  #failedAt = 0;
  /** Why the path cannot be opened while lines go to the moved file. */
  #reopenError: Error | null = null;
  #busy = false;
  #closed = false;
  #flushed: (() => void)[] = [];

  constructor(output: Output, { onEvent, stallMs = defaultStallMs }: AuditWriterOptions) {
    this.#output = output;
    this.#stallMs = stallMs;
    this.#onEvent = onEvent;
    this.#failure = new AuditFailure(onEvent);
    this.#idleCheck = setInterval(() => this.reopen(), idleCheckMs).unref();
  }

  get queuedBytes(): number {
    return this.#waitingBytes + (this.#chunk === null ? 0 : this.#chunk.bytes.length - this.#offset);
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
    const held = this.#waitingBytes + (this.#chunk?.bytes.length ?? 0);
    if (this.#closed || held + bytes.length > maxQueuedBytes) {
      this.#lose(countLines(bytes));
      return done?.();
    }
    this.#queue.push({ bytes, done });
    this.#waitingBytes += bytes.length;
    if (!this.#busy) void this.#run();
  }

  #lose(records: number): void {
    this.lost += records;
    if (this.#closed) return;
    this.#begin(new Error('records arrive faster than the destination accepts them'));
    this.#failure.lose(records);
  }

  flush(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => this.#flushed.push(resolve));
  }

  async close(): Promise<void> {
    clearInterval(this.#idleCheck);
    const deadline = setTimeout(() => this.#abandon(), closeGraceMs);
    await this.flush();
    clearTimeout(deadline);
    this.#closed = true;
    this.#output.close();
  }

  reopen(): void {
    if (!this.#busy && !this.#closed) void this.#run();
  }

  /** Writes everything queued; if nothing is queued, only checks the path. */
  async #run(): Promise<void> {
    this.#busy = true;
    if (this.#queue.length === 0) await this.#checkPath();
    while (this.#queue.length > 0) {
      const chunk = joined(this.#queue);
      this.#queue = [];
      this.#waitingBytes = 0;
      this.#chunk = chunk;
      this.#offset = 0;
      this.#failedAt = 0;
      await this.#put(chunk);
      // Abandoned in the meantime.
      if (this.#chunk !== chunk) return;
      this.#chunk = null;
      chunk.done?.();
    }
    this.#idle();
  }

  /** Ignores errors: nothing is queued, and the next record tries again. */
  async #checkPath(): Promise<void> {
    const isOpen = await this.#follow().then(
      () => this.#reopenError === null,
      () => false,
    );
    // The next record may come hours later; the failure must not be reported until then.
    if (isOpen && this.#failure.records === 'elsewhere') this.#failure.end(() => 0);
  }

  #idle(): void {
    this.#busy = false;
    for (const resolve of this.#flushed.splice(0)) resolve();
  }

  /** Retries until the whole chunk is written or abandoned. */
  async #put(chunk: Lines): Promise<void> {
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
  }

  async #attempt(chunk: Lines): Promise<void> {
    const { bytes } = chunk;
    if (this.#offset === 0 || this.#failure.since !== null) await this.#follow();
    if (this.#chunk !== chunk) return;
    const rest = bytes.length - this.#offset;
    const { bytesWritten } = await write(this.#output.descriptor, bytes, this.#offset, rest, null);
    if (this.#chunk !== chunk) return;
    this.#offset += bytesWritten;
    if (this.#reopenError !== null) this.#begin(this.#reopenError, 'elsewhere');
    else if (bytesWritten === rest) this.#recover(bytes);
  }

  #recover(bytes: Uint8Array): void {
    const kept = () => countLines(bytes.subarray(this.#failedAt)) + countLinesOf(this.#queue);
    this.#failure.end(this.#failure.records === 'elsewhere' ? () => 0 : kept);
  }

  /** Throws if there is no file to write to. */
  async #follow(): Promise<void> {
    const result = await this.#output.follow();
    this.#reopenError = result instanceof Error ? result : null;
    if (result !== 'reopened') return;
    this.#onEvent({ type: 'reopened' });
    // A line that was partly written to the old file is written again as a whole.
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

  /** Counts everything queued as lost and closes; does not wait for a write that hangs in the kernel. */
  #abandon(): void {
    this.#closed = true;
    if (this.#chunk !== null) this.lost += countLines(this.#chunk.bytes.subarray(this.#offset));
    this.lost += countLinesOf(this.#queue);
    // Not for the chunk: the kernel may still read its bytes.
    for (const { done } of this.#queue) done?.();
    this.#chunk = null;
    this.#queue = [];
    this.#waitingBytes = 0;
    this.#idle();
  }
}
