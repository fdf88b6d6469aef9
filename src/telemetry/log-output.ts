/** Writes the operational log to stderr. Never waits, never throws, and counts the lines that stderr does not accept. */
import { fstatSync, writeSync } from 'node:fs';

const stderr = 2;
/** Limit of the lines that wait for the reader of a pipe. */
const maxWaitingBytes = 1024 * 1024;
const newline = 0x0a;

export interface LogOutput {
  write(line: string): void;
  /** Lines that stderr did not accept, since the start. */
  readonly dropped: number;
}

/** Called when lines are accepted again, with the number of lines dropped meanwhile. */
export type OnRecovered = (dropped: number) => void;

export function openLogOutput(onRecovered: OnRecovered): LogOutput {
  const found = fstatSync(stderr);
  return found.isFIFO() || found.isSocket() ? new PipeOutput(onRecovered) : new FileOutput(onRecovered);
}

/** Counts dropped lines, and those of them that are not reported yet. */
class Dropped {
  total = 0;
  #unreported = 0;
  readonly #onRecovered: OnRecovered;

  constructor(onRecovered: OnRecovered) {
    this.#onRecovered = onRecovered;
  }

  get isEmpty(): boolean {
    return this.#unreported === 0;
  }

  add(): void {
    this.total++;
    this.#unreported++;
  }

  report(): void {
    const dropped = this.#unreported;
    this.#unreported = 0;
    if (dropped > 0) this.#onRecovered(dropped);
  }
}

/**
 * Node writes to a pipe at once if it has room, so that the last line before a crash is not lost, and queues the rest.
 * The queue is bounded, in case the reader stops reading; a reader that closed the pipe must not end the process.
 */
class PipeOutput implements LogOutput {
  readonly #dropped: Dropped;
  readonly #stream = process.stderr;

  constructor(onRecovered: OnRecovered) {
    this.#dropped = new Dropped(onRecovered);
    this.#stream.on('error', () => {});
    // Only when the queue is empty. At the first free space, a report after every second line would be dropped too.
    this.#stream.on('drain', () => this.#dropped.report());
  }

  get dropped(): number {
    return this.#dropped.total;
  }

  write(line: string): void {
    const stream = this.#stream;
    const waiting = stream.writableLength;
    if (
      !stream.writable ||
      waiting + line.length > maxWaitingBytes ||
      (waiting > 0 && !this.#dropped.isEmpty)
    )
      return this.#dropped.add();
    stream.write(line, (error) => {
      if (error) this.#dropped.add();
    });
  }
}

/** A file, a device or a terminal. A disk that is full now may have room later. */
class FileOutput implements LogOutput {
  readonly #dropped: Dropped;
  /** Part of the last line was written. */
  #isBroken = false;

  constructor(onRecovered: OnRecovered) {
    this.#dropped = new Dropped(onRecovered);
  }

  get dropped(): number {
    return this.#dropped.total;
  }

  write(line: string): void {
    if (this.#put(Buffer.from(this.#isBroken ? `\n${line}` : line))) this.#dropped.report();
    else this.#dropped.add();
  }

  #put(bytes: Buffer): boolean {
    let written = 0;
    try {
      while (written < bytes.length) written += writeSync(stderr, bytes, written);
      this.#isBroken = false;
      return true;
    } catch {
      if (written > 0) this.#isBroken = bytes[written - 1] !== newline;
      return false;
    }
  }
}
