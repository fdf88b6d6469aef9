/** JSON for a terminal or a pipe: one document on one line, whose foreign text cannot change what a terminal shows. */

/** Those of printable.ts; JSON itself escapes only the first 32 (RFC 8259 §7). */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Ends with a line break. The escapes are JSON's own, so that a reader gets the text unchanged. */
export function jsonLine(value: unknown): string {
  const text = JSON.stringify(value).replace(unsafe, (character) =>
    [...Array(character.length).keys()]
      .map((unit) => `\\u${character.charCodeAt(unit).toString(16).padStart(4, '0')}`)
      .join(''),
  );
  return `${text}\n`;
}
