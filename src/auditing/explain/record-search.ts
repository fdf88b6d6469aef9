/** Finds in audit files the records of one connection, and the events of the gateway in the same span of time. */
import { orderFiles } from '../reading/audit-files.ts';
import { type Line, readLines } from '../reading/lines.ts';
import { timeOfLine } from '../reading/record-line.ts';
import { type AuditRecord, recordOf } from '../reading/records.ts';

export interface FoundConnection {
  readonly connId: string;
  /** The message that was asked for; null: the whole connection. */
  readonly requestId: string | null;
  readonly records: readonly AuditRecord[];
  /** Messages of the connection that are not among `records`. */
  readonly leftOutMessages: number;
  readonly events: readonly AuditRecord[];
  readonly leftOutEvents: number;
}

export interface Explained {
  /** null: no record has this id. */
  readonly found: FoundConnection | null;
  /** If nothing was found: ids that begin with the one that was given, or the messages of its connection. */
  readonly suggestions: readonly string[];
  readonly files: readonly string[];
  /** ISO 8601; null: no line has a time. */
  readonly from: string | null;
  readonly to: string | null;
  /** Lines that are no record. */
  readonly unreadable: number;
}

export type OnProgress = (path: string, lines: number) => void;

/** A connection can have a million messages: the first and the last of them are kept, and those with a problem. */
const maxOrdinaryMessages = 50;
const maxProblems = 200;
const maxEvents = 100;
const maxSuggestions = 10;
/** Milliseconds before the first and after the last record of a connection: a cause often has its record earlier. */
const marginMs = 60_000;

/** @throws UsageError if a file cannot be read. */
export async function findConnection(
  id: string,
  { paths, onProgress }: { readonly paths: readonly string[]; readonly onProgress: OnProgress },
): Promise<Explained> {
  const files = await orderFiles([...new Set(paths)]);
  const search = new Search(id);
  const each = async (onLine: (line: Line) => void) => {
    for (const { path, compression } of files)
      for await (const lines of readLines(path, compression)) {
        for (const line of lines) onLine(line);
        onProgress(path, lines.at(-1)?.number ?? 0);
      }
  };
  await each((line) => search.add(line));
  const facts = { files: files.map(({ path }) => path), ...search.facts };
  const span = search.span;
  if (span === null) return { ...facts, found: null };
  const events = new EventSearch(span);
  await each(({ bytes }) => events.add(bytes));
  return { ...facts, found: { ...search.found, events: events.events, leftOutEvents: events.leftOut } };
}

interface Span {
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
  /** null: not known, so that events of all anchors count. */
  readonly anchor: string | null;
}

class Search {
  readonly #id: string;
  /** The connection of a request id (message/request-id.ts); null: the id has not this form. */
  readonly #connOfRequest: string | null;
  readonly #needle: string;
  readonly #suggestions = new Set<string>();
  readonly #others: AuditRecord[] = [];
  readonly #messages = new MessageSelection();
  #requested: AuditRecord | null = null;
  #isConnection = false;
  #from: string | null = null;
  #to: string | null = null;
  #unreadable = 0;

  constructor(id: string) {
    this.#id = id;
    this.#connOfRequest = /^(.+)\.\d+$/.exec(id)?.[1] ?? null;
    this.#needle = this.#connOfRequest ?? id;
  }

  get facts(): Omit<Explained, 'found' | 'files'> {
    const suggestions = this.span === null ? [...this.#suggestions] : [];
    return { suggestions, from: this.#from, to: this.#to, unreadable: this.#unreadable };
  }

  get found(): Omit<FoundConnection, 'events' | 'leftOutEvents'> {
    const requestId = this.#requested === null ? null : this.#id;
    const messages = this.#requested === null ? this.#messages.kept : [this.#requested];
    const leftOutMessages = this.#messages.count - messages.length;
    return { connId: this.#needle, requestId, records: [...this.#others, ...messages], leftOutMessages };
  }

  /** null: nothing was found. */
  get span(): Span | null {
    if (this.#requested === null && !this.#isConnection) return null;
    const { records } = this.found;
    const times = records.flatMap((record) => [beginOf(record), timeOf(record)]);
    const anchor = records.find(({ anchor }) => typeof anchor === 'string')?.anchor;
    return {
      from: Math.min(...times) - marginMs,
      to: Math.max(...times) + marginMs,
      anchor: typeof anchor === 'string' ? anchor : null,
    };
  }

  add({ bytes }: Line): void {
    const time = timeOfLine(bytes);
    if (time === null) {
      this.#unreadable++;
      return;
    }
    if (this.#from === null || time < this.#from) this.#from = time;
    if (this.#to === null || time > this.#to) this.#to = time;
    if (bytes.includes(this.#needle)) this.#addRecord(recordOf(bytes));
  }

  #addRecord(record: AuditRecord | null): void {
    if (record === null) {
      this.#unreadable++;
      return;
    }
    const { conn_id: connId, request_id: requestId } = record;
    if (typeof connId !== 'string') return;
    if (connId === this.#needle) {
      if (this.#connOfRequest === null) this.#isConnection = true;
      if (requestId === this.#id) this.#requested = record;
      if (record.type === 'message') this.#messages.add(record);
      else this.#others.push(record);
      if (this.#connOfRequest !== null) this.#suggest(connId);
    } else if (connId.startsWith(this.#id)) this.#suggest(connId);
  }

  #suggest(id: string): void {
    if (this.#suggestions.size < maxSuggestions) this.#suggestions.add(id);
  }
}

class MessageSelection {
  readonly #first: AuditRecord[] = [];
  readonly #problems: AuditRecord[] = [];
  readonly #last: AuditRecord[] = [];
  count = 0;

  get kept(): readonly AuditRecord[] {
    return [...this.#first, ...this.#problems, ...this.#last];
  }

  add(record: AuditRecord): void {
    this.count++;
    if (this.#first.length < maxOrdinaryMessages) this.#first.push(record);
    else if (record.outcome !== 'answered' && this.#problems.length < maxProblems)
      this.#problems.push(record);
    else {
      this.#last.push(record);
      if (this.#last.length > maxOrdinaryMessages) this.#last.shift();
    }
  }
}

const frequent = ['handshake', 'message', 'verdict'].map((type) => Buffer.from(`{"type":"${type}",`));
const eventTypes = new Set(['trust', 'revocation', 'keys', 'thread', 'config', 'seal']);

class EventSearch {
  readonly #span: Span;
  readonly events: AuditRecord[] = [];
  leftOut = 0;

  constructor(span: Span) {
    this.#span = span;
  }

  add(bytes: Buffer): void {
    if (frequent.some((start) => beginsWith(bytes, start))) return;
    const time = Date.parse(timeOfLine(bytes) ?? '');
    if (!(time >= this.#span.from && time <= this.#span.to)) return;
    const record = recordOf(bytes);
    if (record === null || !this.#isRelated(record)) return;
    if (this.events.length < maxEvents) this.events.push(record);
    else this.leftOut++;
  }

  #isRelated(record: AuditRecord): boolean {
    const { type, anchor, event, lost } = record;
    if (!eventTypes.has(String(type))) return false;
    if (type === 'seal') return (typeof lost === 'number' && lost > 0) || event !== 'sealed';
    if (type !== 'trust' && type !== 'revocation') return true;
    return typeof anchor !== 'string' || this.#span.anchor === null || anchor === this.#span.anchor;
  }
}

function beginsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.length >= start.length && bytes.compare(start, 0, start.length, 0, start.length) === 0;
}

/** When the record was written: milliseconds since the epoch. */
export function timeOf({ time }: AuditRecord): number {
  return Date.parse(String(time));
}

/** When what the record is about began: the accept of a connection, the complete head of a request. */
export function beginOf(record: AuditRecord): number {
  const { duration_ms: duration, total_ms: total } = record;
  const ms = duration ?? total;
  return timeOf(record) - (typeof ms === 'number' ? ms : 0);
}
