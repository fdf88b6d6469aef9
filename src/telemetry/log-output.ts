/** Takes the lines of the operational log to stderr. It never waits, never throws, and counts what stderr does not take. */
import { fstatSync, writeSync } from 'node:fs';

const stderr = 2;
/** Lines that may wait for the reader of a pipe. */
const maxWaitingBytes = 1024 * 1024;
const newline = 0x0a;

export interface LogOutput {
  write(line: string): void;
  /** Lines that stderr did not take, since the start. */
  readonly dropped: number;
}

/** `onRecovered` is called when lines are taken again, with the number of those that were not. */
export type OnRecovered = (dropped: number) => void;

export function openLogOutput(onRecovered: OnRecovered): LogOutput {
  const found = fstatSync(stderr);
  return found.isFIFO() || found.isSocket() ? new PipeOutput(onRecovered) : new FileOutput(onRecovered);
}

/** What was dropped, and what of it was not reported yet. */
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
 * Node writes to a pipe at once where it has room, so that the last line before a crash is not lost, and queues the rest.
 * A reader that stands still must not make that queue grow; one that is gone must not end the process.
 */
class PipeOutput implements LogOutput {
  readonly #dropped: Dropped;
  readonly #stream = process.stderr;

  constructor(onRecovered: OnRecovered) {
    this.#dropped = new Dropped(onRecovered);
    this.#stream.on('error', () => {});
    // Not as soon as there is room for one line: a report for every second line would be dropped too.
    this.#stream.on('drain', () => this.#dropped.report());
  }

  get dropped(): number {
    return this.#dropped.total;
  }

  write(line: string): void {
    const stream = this.#stream;
    const waits = stream.writableLength;
    if (!stream.writable || waits + line.length > maxWaitingBytes || (waits > 0 && !this.#dropped.isEmpty))
      return this.#dropped.add();
    stream.write(line, (error) => {
      if (error) this.#dropped.add();
    });
  }
}

/** A file, a device or a terminal. Its disk may be full now and have room later. */
class FileOutput implements LogOutput {
  readonly #dropped: Dropped;
  /** The last line was written in part. */
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
