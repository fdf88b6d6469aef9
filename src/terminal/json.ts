/** JSON for a terminal or a pipe: one document on one line, whose foreign text cannot change what a terminal shows. */
import { safeJson } from '../foreign-text.ts';

/** Ends with a line break. The escapes are JSON's own, so that a reader gets the text unchanged. */
export function jsonLine(value: unknown): string {
  return `${safeJson(value)}\n`;
}
