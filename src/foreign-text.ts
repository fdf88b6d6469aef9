/** Makes text from a certificate, a peer or a file name safe to show: in a terminal, a log, a page. */

/**
 * Controls could change what a terminal shows or runs, line and paragraph separators could forge a line, and bidirectional
 * and invisible characters could reorder or hide text (Unicode TR36 §3): formats, fillers, variation selectors, a blank
 * braille pattern, and spaces other than U+0020 and the wide one of East Asian text. A lone surrogate is no character.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{DI}\u2800]|(?![ \u3000])\p{Zs}/gu;

const ascii = /^[\x20-\x7e]*$/;

/** Replaces each unsafe character by its escape: `\u{1b}`. */
export function printable(text: string): string {
  if (ascii.test(text)) return text;
  return text.replace(unsafe, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** The same of each line of a text. */
export function printableLines(text: string): string {
  return text.split('\n').map(printable).join('\n');
}

/**
 * Replaces each unsafe character by its bytes of UTF-8 as hex pairs, such as `\1b`: RFC 4514 §2.4 allows them in a
 * distinguished name. A lone surrogate has no bytes and stays.
 */
export function escapedAsHex(text: string): string {
  if (ascii.test(text)) return text;
  return text.replace(unsafe, (character) =>
    character.isWellFormed() ? Buffer.from(character).toString('hex').replace(/../g, '\\$&') : character,
  );
}

/** JSON whose unsafe characters are escaped, so that a reader gets the text unchanged (RFC 8259 §7). */
export function safeJson(value: unknown): string {
  return safeJsonText(JSON.stringify(value));
}

/** The same of a text that is JSON; it may end with a line break. */
export function safeJsonText(text: string): string {
  if (/^[\x20-\x7e]*\n?$/.test(text)) return text;
  // JSON itself contains no unsafe character outside of its strings, except line breaks.
  return text.replace(unsafe, (character) => (character === '\n' ? character : escapedUnits(character)));
}

function escapedUnits(character: string): string {
  return [...Array(character.length).keys()]
    .map((unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`)
    .join('');
}

/** A value of JSON whose strings are all printable. The names of its fields stay. */
export function printableValue<Value>(value: Value): Value {
  return made(value) as Value;
}

function made(value: unknown): unknown {
  if (typeof value === 'string') return printable(value);
  if (Array.isArray(value)) return value.map(made);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, made(each)]));
}
