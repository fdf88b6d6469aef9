/** Parses JSON strictly: UTF-8 only, and no object with two members of one name (RFC 8259 §4, RFC 7515 §4, RFC 7519 §4). */

export type JsonReading =
  | { readonly ok: true; readonly value: unknown }
  /** `problem` never repeats the input. */
  | { readonly ok: false; readonly problem: string };

/** `bytes`: limited in size by the caller. */
export function readJson(bytes: Uint8Array): JsonReading {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return { ok: false, problem: 'text that is not UTF-8' };
  }
  try {
    const value: unknown = JSON.parse(text);
    if (repeatsName(text))
      return { ok: false, problem: 'JSON in which an object has two members of one name' };
    return { ok: true, value };
  } catch {
    // The message of JSON.parse repeats a part of the input.
    return { ok: false, problem: 'text that is not JSON' };
  }
}

/** JSON.parse keeps the last of two members without a word: another reader may use the first. `text` is valid JSON. */
function repeatsName(text: string): boolean {
  /** The names of each open object; null for an open array. */
  const open: (Set<string> | null)[] = [];
  let expectsName = false;
  for (let at = 0; at < text.length; at += 1) {
    switch (text[at]) {
      case '{':
        open.push(new Set());
        expectsName = true;
        break;
      case '[':
        open.push(null);
        expectsName = false;
        break;
      case '}':
      case ']':
        open.pop();
        expectsName = false;
        break;
      case ',':
        expectsName = open.at(-1) !== null;
        break;
      case '"': {
        const end = endOfString(text, at);
        if (expectsName) {
          const names = open.at(-1);
          // Two spellings may be one name: "a" and "\u0061".
          const name = JSON.parse(text.slice(at, end + 1)) as string;
          if (names?.has(name) === true) return true;
          names?.add(name);
          expectsName = false;
        }
        at = end;
        break;
      }
      default:
    }
  }
  return false;
}

/** The index of the quote that closes the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
