/** Parser of chunk extensions, which are validated and dropped (RFC 9112 §7.1.1): `;name`, `;name=token`, `;name="text"`. */
import { tokenTable, valueTable } from './grammar.ts';

const CR = 0x0d;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** `nameStart` and `valueStart`: the first character of a name or value is expected. */
type State = 'nameStart' | 'name' | 'valueStart' | 'value' | 'quoted' | 'escaped' | 'after';

export class ChunkExtension {
  #state: State = 'nameStart';

  /** To be called after the `;` that begins an extension. */
  begin(): void {
    this.#state = 'nameStart';
  }

  /** `end`: the byte was the CR of the line. `fault`: not a valid extension; white space around `;` and `=` is not valid. */
  next(byte: number): 'more' | 'end' | 'fault' {
    const state = this.#step(byte);
    if (state === 'end' || state === 'fault') return state;
    this.#state = state;
    return 'more';
  }

  #step(byte: number): State | 'end' | 'fault' {
    switch (this.#state) {
      case 'nameStart':
        return tokenTable[byte] === 1 ? 'name' : 'fault';
      case 'name':
        if (byte === EQUALS) return 'valueStart';
        return tokenTable[byte] === 1 ? 'name' : closes(byte);
      case 'valueStart':
        if (byte === QUOTE) return 'quoted';
        return tokenTable[byte] === 1 ? 'value' : 'fault';
      case 'value':
        return tokenTable[byte] === 1 ? 'value' : closes(byte);
      case 'quoted':
        if (byte === QUOTE) return 'after';
        if (byte === BACKSLASH) return 'escaped';
        return valueTable[byte] === 1 ? 'quoted' : 'fault';
      case 'escaped':
        return valueTable[byte] === 1 ? 'quoted' : 'fault';
      case 'after':
        return closes(byte);
    }
  }
}

/** After a name or a value: another extension, or the end of the line. */
function closes(byte: number): State | 'end' | 'fault' {
  if (byte === SEMICOLON) return 'nameStart';
  return byte === CR ? 'end' : 'fault';
}
