/** Colours and symbols of the command line: plain where the stream is no terminal, or NO_COLOR is set. */
import { styleText } from 'node:util';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';

/** The result of one check; `unknown`: it could not be made here. */
export type Outcome = 'pass' | 'fail' | 'warn' | 'unknown';

/** `stream`: where the text will be written; its settings, NO_COLOR and FORCE_COLOR decide whether escapes are added. */
export function paint(style: Style, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(style, text, { stream });
}

const symbols: Record<Outcome, readonly [text: string, style: Style]> = {
  pass: ['✔', 'green'],
  fail: ['✘', 'red'],
  warn: ['!', 'yellow'],
  unknown: ['?', 'cyan'],
};

/** ✔, ✘, ! or ?, one column wide. */
export function symbol(outcome: Outcome, stream: NodeJS.WriteStream = process.stdout): string {
  const [text, style] = symbols[outcome];
  return paint(style, text, stream);
}
