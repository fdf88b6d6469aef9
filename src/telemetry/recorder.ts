/** What a relay thread's rooms tell the control thread: counts, audit lines, spans and operational log lines. */
import type { Meter } from './meter.ts';

export type LogLevel = 'info' | 'warn' | 'error';

export interface Recorder {
  readonly meter: Meter;
  /** One or more JSON lines, each with its newline. */
  audit(line: string): void;
  /** One finished span (tracing/span.ts). */
  span(span: string): void;
  /** Fields are the gateway's own words and numbers: never a client's bytes. */
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
}
