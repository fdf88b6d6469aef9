/** Decodes percent-encoding repeatedly, and keeps the position of each decoded character. */

export interface Decoded {
  readonly text: string;
  /** For each character of `text`: the index of its start in the encoded text, and the index after its end. */
  readonly starts: readonly number[];
  readonly ends: readonly number[];
}

/** Decodes every `%xx`, including those that decoding produces, in one pass over a stack: linear in the input. */
export function decodePercent(encoded: string): Decoded {
  const codes: number[] = [];
  const starts: number[] = [];
  const ends: number[] = [];
  for (let index = 0; index < encoded.length; index++) {
    let end = codes.push(encoded.charCodeAt(index)) - 1;
    starts.push(index);
    ends.push(index + 1);
    while (end >= 2 && codes[end - 2] === percent) {
      const byte = hexDigit(codes[end - 1]) * 16 + hexDigit(codes[end]);
      if (Number.isNaN(byte)) break;
      end -= 2;
      codes.length = starts.length = ends.length = end + 1;
      codes[end] = byte;
      ends[end] = index + 1;
    }
  }
  return { text: codes.map((code) => String.fromCharCode(code)).join(''), starts, ends };
}

const percent = 0x25;

function hexDigit(code: number | undefined): number {
  if (code === undefined) return Number.NaN;
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  // Upper and lower case differ only in this bit.
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : Number.NaN;
}
