/** Makes foreign text safe for a terminal: from a certificate, a peer, or a file name. */

/**
 * Controls could change what the terminal shows or runs, line and paragraph separators could forge a line, and
 * bidirectional and invisible characters could reorder or hide text (Unicode TR36 §3). A lone surrogate is no character.
 */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Replaces each unsafe character by its escape: `\u{1b}`. */
export function printable(text: string): string {
  return text.replace(unsafe, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
