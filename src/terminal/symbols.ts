/** The symbol of a check's result: ✔ pass, ✘ fail, ! warn, ? unknown. */
import { paint, type Style } from './colours.ts';

/** The result of one check; `unknown`: it could not be made here. */
export type Outcome = 'pass' | 'fail' | 'warn' | 'unknown';

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
