/** Writes audit lines in order, off the threads that make them wait: one write in flight, the rest in a bounded queue. */
import { close, constants, open, write } from 'node:fs';
import { promisify } from 'node:util';
import { GatewayError } from '../errors.ts';

const maxQueuedBytes = 64 * 1024 * 1024;
const retryMs = 50;
const closeGraceMs = 5_000;

export interface AuditWriterOptions {
  /** `stdout`, `stderr` or a file's path; a file is appended to, and created with 0640. */
  readonly destination: string;
  /** Told once when writing begins to fail, and again only after it worked in between. */
  readonly onError: (error: Error) => void;
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
  /** Records that were never written. */
  readonly lost: number;
}

/** @throws GatewayError `AUDIT_DESTINATION` where the file cannot be opened; its folder must exist. */
export async function openAuditWriter(options: AuditWriterOptions): Promise<AuditWriter> {
  const { destination, onError } = options;
  if (destination === 'stdout') return new Sink(1, onError);
  if (destination === 'stderr') return new Sink(2, onError);
  const { O_APPEND, O_CREAT, O_WRONLY } = constants;
  try {
    const file = await promisify(open)(destination, O_APPEND | O_CREAT | O_WRONLY, 0o640);
    return new Sink(file, onError, () => close(file));
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? cause.code : cause;
    const says = why === 'ENOENT' ? 'its folder does not exist' : `${why}`;
    const message = `the audit file ${destination} cannot be opened: ${says}`;
    throw new GatewayError({ code: 'AUDIT_DESTINATION', side: 'internal', message, cause });
  }
}

interface Lines {
  readonly bytes: Uint8Array;
  readonly done: (() => void) | undefined;
}

class Sink implements AuditWriter {
  lost = 0;
  readonly #file: number;
  readonly #onError: (error: Error) => void;
  readonly #release: () => void;
  #queue: Lines[] = [];
  #queuedBytes = 0;
  /** What is being written, from `#offset` on; null when idle. */
  #chunk: Lines | null = null;
  #offset = 0;
  #failing = false;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;
  #waiting: (() => void)[] = [];

  constructor(file: number, onError: (error: Error) => void, release: () => void = () => {}) {
    this.#file = file;
    this.#onError = onError;
    this.#release = release;
  }

  write(lines: string | Uint8Array, done?: () => void): void {
    if (lines.length === 0) return done?.();
    const bytes = typeof lines === 'string' ? Buffer.from(lines) : lines;
    const held = this.#queuedBytes + (this.#chunk?.bytes.length ?? 0);
    if (this.#closed || held + bytes.length > maxQueuedBytes) {
      this.lost += countLines(bytes);
      return done?.();
    }
    this.#queue.push({ bytes, done });
    this.#queuedBytes += bytes.length;
    if (this.#chunk === null) this.#next();
  }

  flush(): Promise<void> {
    if (this.#chunk === null) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    const giveUp = setTimeout(() => this.#abandon(), closeGraceMs);
    await this.flush();
    clearTimeout(giveUp);
    this.#closed = true;
    this.#release();
  }

  #next(): void {
    const [first] = this.#queue;
    if (first === undefined) {
      this.#chunk = null;
      for (const resolve of this.#waiting.splice(0)) resolve();
      return;
    }
    this.#chunk = this.#queue.length === 1 ? first : joined(this.#queue);
    this.#offset = 0;
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#put(this.#chunk);
  }

  /** `fs.write` and not `process.stdout`: that one writes to pipes synchronously, so a slow reader would stop us. */
  #put(chunk: Lines): void {
    const { bytes, done } = chunk;
    write(this.#file, bytes, this.#offset, bytes.length - this.#offset, null, (error, written) => {
      if (this.#chunk !== chunk) return;
      if (error !== null) {
        this.#failed(chunk, error);
        return;
      }
      this.#failing = false;
      this.#offset += written;
      if (this.#offset < bytes.length) return this.#put(chunk);
      done?.();
      this.#next();
    });
  }

  #failed(chunk: Lines, error: NodeJS.ErrnoException): void {
    // EAGAIN is a full pipe that somebody made non-blocking: no fault, only slow.
    if (error.code !== 'EAGAIN' && !this.#failing) {
      this.#failing = true;
      this.#onError(error);
    }
    // The reader of a pipe does not come back.
    if (error.code === 'EPIPE') {
      this.#abandon();
      return;
    }
    this.#retry = setTimeout(() => this.#put(chunk), retryMs);
  }

  /** Gives up what is queued and closes; a write that hangs in the kernel is left behind. */
  #abandon(): void {
    clearTimeout(this.#retry);
    this.#closed = true;
    if (this.#chunk !== null) this.lost += countLines(this.#chunk.bytes.subarray(this.#offset));
    for (const { bytes } of this.#queue) this.lost += countLines(bytes);
    this.#queue = [];
    this.#queuedBytes = 0;
    this.#next();
  }
}

/** One write instead of many. */
function joined(queue: readonly Lines[]): Lines {
  const bytes = Buffer.concat(queue.map((each) => each.bytes));
  for (const { done } of queue) done?.();
  return { bytes, done: undefined };
}

const newline = 0x0a;

function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) lines++;
  return lines;
}
