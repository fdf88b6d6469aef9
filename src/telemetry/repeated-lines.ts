/** Collapses repeated lines of the log: the first is written at once, the others are counted and summed up in one line. */
import type { LogLevel } from './recorder.ts';

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  /**
   * `repeated`: the line stands for so many occurrences; absent: for one. `mixed`: true: they have the same message, and not
   * all of them the same fields; those here are of the last.
   */
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
  /** Lines with the same message, and perhaps other fields. */
  readonly isMixed: boolean;
}

/**
 * Limit of different lines that are remembered. Further ones are compared by level and message alone, so that a client
 * cannot fill the log by varying a field.
 */
export const maxEntries = 256;
/** Limit of different messages of those. The oldest is summed up early for a new one. */
const maxMixed = 256;
/** Fields that differ between occurrences of one event. */
const varying = new Set(['conn_id', 'source_address', 'thread', 'repeated']);

/** Two lines are the same if level, message and all fields except `varying` are equal. */
export class RepeatedLines implements Disposable {
  /** Occurrences that were not written as a line of their own, since the start. */
  collapsed = 0;
  readonly #options: Required<RepeatedLinesOptions>;
  /** By key, the oldest window first. */
  readonly #entries = new Map<string, Entry>();
  /** Of the entries. */
  #mixed = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: RepeatedLinesOptions) {
    this.#options = { now: () => performance.now(), ...options };
  }

  log(line: LogLine): void {
    const key = keyOf(line);
    const isMixed = line.fields.mixed === true;
    if (!isMixed && (this.#entries.has(key) || this.#distinct < maxEntries)) this.#count(key, line);
    else this.#count(mixedKeyOf(line), line, { isMixed: true });
  }

  #count(key: string, line: LogLine, { isMixed = false } = {}): void {
    const entry = this.#entries.get(key);
    const { repeated } = line.fields;
    const occurrences = typeof repeated === 'number' ? repeated : 1;
    if (entry === undefined) {
      if (isMixed && this.#mixed >= maxMixed) this.#sumUpOldestMixed();
      this.#remember(key, { line, isMixed });
      this.collapsed += occurrences - 1;
      return this.#options.write(line, null);
    }
    entry.repeated += occurrences;
    entry.line = line;
    this.collapsed += occurrences;
  }

  get #distinct(): number {
    return this.#entries.size - this.#mixed;
  }

  /** Writes the sums of all repeated lines, at the end of the process or thread. */
  flush(): void {
    for (const [key, entry] of this.#entries) {
      this.#forget(key, entry);
      this.#sumUp(entry);
    }
    this.#arm();
  }

  [Symbol.dispose](): void {
    this.flush();
  }

  #remember(key: string, { line, isMixed }: Pick<Entry, 'line' | 'isMixed'>): void {
    this.#entries.set(key, { line, isMixed, startedAt: this.#options.now(), repeated: 0 });
    if (isMixed) this.#mixed++;
    if (this.#timer === null) this.#arm();
  }

  #forget(key: string, { isMixed }: Entry): void {
    this.#entries.delete(key);
    if (isMixed) this.#mixed--;
  }

  /** Ends the windows that have passed. A line that was repeated gets a new window, so a lasting failure gives one line in each. */
  #sweep(): void {
    const end = this.#options.now() - this.#options.windowMs;
    for (const [key, entry] of this.#entries) {
      if (entry.startedAt > end) break;
      this.#forget(key, entry);
      this.#sumUp(entry);
      if (entry.repeated > 0) this.#remember(key, entry);
    }
    this.#arm();
  }

  #sumUpOldestMixed(): void {
    for (const [key, entry] of this.#entries) {
      if (!entry.isMixed) continue;
      this.#forget(key, entry);
      return this.#sumUp(entry);
    }
  }

  #sumUp({ line, startedAt, repeated, isMixed }: Entry): void {
    if (repeated === 0) return;
    const seconds = Math.max(1, Math.round((this.#options.now() - startedAt) / 1000));
    const mixed = isMixed ? { mixed: true } : {};
    this.#options.write({ ...line, fields: { ...line.fields, repeated, ...mixed } }, seconds);
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
  const kept = Object.entries(fields).filter(([name, value]) => value !== undefined && !varying.has(name));
  return JSON.stringify([level, message, kept]);
}

function mixedKeyOf({ level, message }: LogLine): string {
  return JSON.stringify([level, message]);
}
