/** Writes audit lines in order, off the threads that make them wait: one write in flight, the rest in a bounded queue. */
import { write as writeCallback } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type AuditEvent, AuditFailure, type Records } from './failure.ts';
import { countLines, countLinesOf, joined, type Lines, newline } from './lines.ts';
import { type Output, openPath, openStandard } from './output.ts';

const write = promisify(writeCallback);

const maxQueuedBytes = 64 * 1024 * 1024;
const retryMs = 50;
const closeGraceMs = 5_000;
const defaultStallMs = 10_000;
/** How often an idle writer looks at its path: a deleted file that is held open still fills its disk. */
const idleCheckMs = 5_000;

export interface AuditWriterOptions {
  /** `stdout`, `stderr` or a file's path; a file is appended to, and created with 0640. */
  readonly destination: string;
  readonly onEvent: (event: AuditEvent) => void;
  /** How long the destination may take nothing before it counts as failing, ms; 10 s where it is not given. */
  readonly stallMs?: number;
}

export interface AuditWriter {
  /**
   * Queues whole lines, each with its newline; bytes are taken over, not copied, until `done`: written, lost or copied
   * after all. Never waits: beyond 64 MiB of queue they are lost, and counted.
   */
  write(lines: string | Uint8Array, done?: () => void): void;
  /** Settles when all that was queued is written or lost. */
  flush(): Promise<void>;
  /** Flushes, for at most five seconds, then counts the rest as lost; the destination may be gone for good. */
  close(): Promise<void>;
  /** Opens the file anew where its path names another one. This happens before each write too. */
  reopen(): void;
  /** Records that were never written. */
  readonly lost: number;
  /** Bytes that wait to be written. */
  readonly queuedBytes: number;
  /** Milliseconds since the epoch; null: records are written where they belong. */
  readonly failingSince: number | null;
  /** Records are written, be it into the file that was open before. */
  readonly isWriting: boolean;
}

/** @throws GatewayError `AUDIT_DESTINATION` where the file cannot be opened; its folder must exist. */
export async function openAuditWriter(options: AuditWriterOptions): Promise<AuditWriter> {
  const { destination } = options;
  if (destination === 'stdout') return new Sink(openStandard(1), options);
  if (destination === 'stderr') return new Sink(openStandard(2), options);
  return new Sink(await openPath(destination), options);
}

class Sink implements AuditWriter {
  lost = 0;
  readonly #output: Output;
  readonly #onEvent: (event: AuditEvent) => void;
  readonly #failure: AuditFailure;
  readonly #stallMs: number;
  readonly #idleCheck: NodeJS.Timeout;
  #queue: Lines[] = [];
  #waitingBytes = 0;
  /** What is being written, from `#offset` on. */
  #chunk: Lines | null = null;
  #offset = 0;
  /** Where in the chunk its records began to wait for a failure to end. */
  #failedAt = 0;
  /** Why lines go into a file that the path does not name any more. */
  #astray: Error | null = null;
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
      this.#giveUp(countLines(bytes));
      return done?.();
    }
    this.#queue.push({ bytes, done });
    this.#waitingBytes += bytes.length;
    if (!this.#busy) void this.#run();
  }

  #giveUp(records: number): void {
    this.lost += records;
    if (this.#closed) return;
    this.#begin(new Error('the destination takes records more slowly than they come'));
    this.#failure.giveUp(records);
  }

  flush(): Promise<void> {
    if (!this.#busy) return Promise.resolve();
    return new Promise((resolve) => this.#flushed.push(resolve));
  }

  async close(): Promise<void> {
    clearInterval(this.#idleCheck);
    const giveUp = setTimeout(() => this.#abandon(), closeGraceMs);
    await this.flush();
    clearTimeout(giveUp);
    this.#closed = true;
    this.#output.close();
  }

  reopen(): void {
    if (!this.#busy && !this.#closed) void this.#run();
  }

  /** Writes all that is queued; with nothing queued it looks at the path alone. */
  async #run(): Promise<void> {
    this.#busy = true;
    if (this.#queue.length === 0) await this.#look();
    while (this.#queue.length > 0) {
      const chunk = joined(this.#queue);
      this.#queue = [];
      this.#waitingBytes = 0;
      this.#chunk = chunk;
      this.#offset = 0;
      this.#failedAt = 0;
      await this.#put(chunk);
      // Abandoned meanwhile.
      if (this.#chunk !== chunk) return;
      this.#chunk = null;
      chunk.done?.();
    }
    this.#idle();
  }

  /** Nothing waits that could be lost: where the path cannot be opened, the next record tries again. */
  async #look(): Promise<void> {
    const isOpen = await this.#follow().then(
      () => this.#astray === null,
      () => false,
    );
    // The next record may be hours away, and the alarm must not last until then.
    if (isOpen && this.#failure.records === 'elsewhere') this.#failure.end(() => 0);
  }

  #idle(): void {
    this.#busy = false;
    for (const resolve of this.#flushed.splice(0)) resolve();
  }

  /** Tries until all of the chunk is written, or it is abandoned. */
  async #put(chunk: Lines): Promise<void> {
    const stallMs = this.#stallMs;
    const stall = setTimeout(() => this.#begin(new Error(`no byte taken for ${stallMs / 1000} s`)), stallMs);
    let pause = 1;
    while (this.#chunk === chunk && this.#offset < chunk.bytes.length) {
      try {
        await this.#attempt(chunk);
        stall.refresh();
        pause = 1;
      } catch (cause) {
        const error = cause as NodeJS.ErrnoException;
        // EAGAIN is a full pipe that does not block: no fault, only slow. Its reader may need a moment, or long.
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
    if (this.#astray !== null) this.#begin(this.#astray, 'elsewhere');
    else if (bytesWritten === rest) this.#recover(bytes);
  }

  #recover(bytes: Uint8Array): void {
    const waited = () => countLines(bytes.subarray(this.#failedAt)) + countLinesOf(this.#queue);
    this.#failure.end(this.#failure.records === 'elsewhere' ? () => 0 : waited);
  }

  /** Throws where lines can go nowhere. */
  async #follow(): Promise<void> {
    const came = await this.#output.follow();
    this.#astray = came instanceof Error ? came : null;
    if (came !== 'reopened') return;
    this.#onEvent({ type: 'reopened' });
    // The rest of a line would be of no use in another file than its beginning.
    if (this.#chunk !== null && this.#offset > 0)
      this.#offset = this.#chunk.bytes.lastIndexOf(newline, this.#offset - 1) + 1;
  }

  /** Milliseconds until the next attempt. */
  #fails(error: NodeJS.ErrnoException): number {
    // The reader of a pipe that the process was started with does not come back; that of a named one may.
    const final = error.code === 'EPIPE' && !this.#output.isPath;
    this.#begin(error, final ? 'lost' : 'kept');
    if (final) this.#abandon();
    return retryMs;
  }

  #begin(error: Error, records: Records = 'kept'): void {
    if (this.#failure.since === null) this.#failedAt = this.#offset;
    this.#failure.begin(error, records);
  }

  /** Gives up what is queued and closes; a write that hangs in the kernel is left behind. */
  #abandon(): void {
    this.#closed = true;
    if (this.#chunk !== null) this.lost += countLines(this.#chunk.bytes.subarray(this.#offset));
    this.lost += countLinesOf(this.#queue);
    // Not the chunk's: the kernel may read it still.
    for (const { done } of this.#queue) done?.();
    this.#chunk = null;
    this.#queue = [];
    this.#waitingBytes = 0;
    this.#idle();
  }
}
