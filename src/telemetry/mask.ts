/** Masks what could be a card number in text that is about to be written. */

/**
 * Replaces every run of 13 or more digits, also where digits are percent-encoded, once or many times over
 * (`%34`, `%2534`, `%25%33%34`), by `[digits]`.
 *
 * A digit's encoding consists of digits and `%` alone, so only runs of these need a closer look; one that holds such a
 * number in any reading is replaced whole.
 */
export function maskDigits(text: string): string {
  return candidate.test(text) ? text.replace(candidates, maskRun) : text;
}

const candidate = /[0-9%]{13}/;
const candidates = /[0-9%]{13,}/g;
const digits = /[0-9]{13}/;

function maskRun(run: string): string {
  return digits.test(run) || digits.test(decodeFully(run)) ? '[digits]' : run;
}

/** Decodes every `%xx` that is there or comes to be by decoding, in one pass over a stack: linear in the input. */
function decodeFully(run: string): string {
  if (!run.includes('%')) return run;
  const stack: number[] = [];
  for (let index = 0; index < run.length; index++) {
    stack.push(run.charCodeAt(index));
    while (true) {
      const [percent, high, low] = [stack.at(-3), stack.at(-2), stack.at(-1)];
      if (percent !== 0x25 || !isDigit(high) || !isDigit(low)) break;
      stack.splice(-3, 3, (high - 0x30) * 16 + (low - 0x30));
    }
  }
  return stack.map((code) => String.fromCharCode(code)).join('');
}

function isDigit(code: number | undefined): code is number {
  return code !== undefined && code >= 0x30 && code <= 0x39;
}
