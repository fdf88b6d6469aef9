/** What a relay thread reports to the control thread: counts, audit lines, spans and log lines. */
import type { Meter } from './meter.ts';

export type LogLevel = 'info' | 'warn' | 'error';

export interface Recorder {
  readonly meter: Meter;
  /** One or more JSON lines, each with its newline. */
  audit(line: string): void;
  /** One finished span (tracing/otlp-json.ts). */
  span(span: string): void;
  /** `fields`: values of the gateway, never text that a client controls. */
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** The same for one of possibly many failures: repeated lines are collapsed (repeated-lines.ts). */
  logFailure(level: LogLevel, message: string, fields: Readonly<Record<string, unknown>>): void;
}
