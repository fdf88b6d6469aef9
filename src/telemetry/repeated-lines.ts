/** Collapses repeated lines of the log: the first is written at once, the others are counted and summed up in one line. */
import type { LogLevel } from './recorder.ts';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  /** `repeated`: the line stands for so many occurrences; absent: for one. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface RepeatedLinesOptions {
  /** Milliseconds from a line to the sum of its repetitions. */
  readonly windowMs: number;
  /** Writes a line. `seconds`: the line sums up `fields.repeated` repetitions of this time; null: it is not a sum. */
  readonly write: (line: LogLine, seconds: number | null) => void;
  /** Milliseconds; default: performance.now. */
  readonly now?: () => number;
}

interface Entry {
  /** The last repetition. */
  line: LogLine;
  startedAt: number;
  repeated: number;
}

/** Limit of different lines that are remembered. The oldest is summed up early for a new one. */
export const maxEntries = 256;
/** Fields that differ between occurrences of one event. Numbers do not count either. */
const varying = new Set(['conn_id', 'source_address']);

/** Two lines are the same if level, message and all fields are equal, except numbers and `varying`. */
export class RepeatedLines implements Disposable {
  /** Occurrences that were not written as a line of their own, since the start. */
  collapsed = 0;
  readonly #options: Required<RepeatedLinesOptions>;
  /** By key, the oldest window first. */
  readonly #entries = new Map<string, Entry>();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: RepeatedLinesOptions) {
    this.#options = { now: () => performance.now(), ...options };
  }

  log(line: LogLine): void {
    const key = keyOf(line);
    const entry = this.#entries.get(key);
    const { repeated } = line.fields;
    const occurrences = typeof repeated === 'number' ? repeated : 1;
    if (entry === undefined) {
      if (this.#entries.size >= maxEntries) this.#sumUpOldest();
      this.#remember(key, line);
      this.collapsed += occurrences - 1;
      return this.#options.write(line, null);
    }
    entry.repeated += occurrences;
    entry.line = line;
    this.collapsed += occurrences;
  }

  /** Writes the sums of all repeated lines, at the end of the process or thread. */
  flush(): void {
    for (const [key, entry] of this.#entries) {
      this.#entries.delete(key);
      this.#sumUp(entry);
    }
    this.#arm();
  }

  [Symbol.dispose](): void {
    this.flush();
  }

  #remember(key: string, line: LogLine): void {
    this.#entries.set(key, { line, startedAt: this.#options.now(), repeated: 0 });
    if (this.#timer === null) this.#arm();
  }

  /** Ends the windows that have passed. A line that was repeated gets a new window, so a lasting failure gives one line in each. */
  #sweep(): void {
    const end = this.#options.now() - this.#options.windowMs;
    for (const [key, entry] of this.#entries) {
      if (entry.startedAt > end) break;
      this.#entries.delete(key);
      this.#sumUp(entry);
      if (entry.repeated > 0) this.#remember(key, entry.line);
    }
    this.#arm();
  }

  #sumUpOldest(): void {
    for (const [key, entry] of this.#entries) {
      this.#entries.delete(key);
      return this.#sumUp(entry);
    }
  }

  #sumUp({ line, startedAt, repeated }: Entry): void {
    if (repeated === 0) return;
    const seconds = Math.max(1, Math.round((this.#options.now() - startedAt) / 1000));
    this.#options.write({ ...line, fields: { ...line.fields, repeated } }, seconds);
  }

  /** Waits for the end of the oldest window. */
  #arm(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const [oldest] = this.#entries.values();
    if (oldest === undefined) return;
    const rest = oldest.startedAt + this.#options.windowMs - this.#options.now();
    this.#timer = setTimeout(() => this.#sweep(), Math.max(1, rest)).unref();
  }
}

function keyOf({ level, message, fields }: LogLine): string {
  const kept = Object.entries(fields).filter(
    ([name, value]) => typeof value !== 'number' && value !== undefined && !varying.has(name),
  );
  return JSON.stringify([level, message, kept]);
}
