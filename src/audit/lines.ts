/** Whole audit lines as bytes, as the writer queues and writes them. */

export interface Lines {
  readonly bytes: Uint8Array;
  /** Called when the bytes are no longer needed. */
  readonly done: (() => void) | undefined;
  /** A seal is no record: it does not count as kept or lost. */
  readonly isSeal?: boolean;
}

export const newline = 0x0a;

export function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) lines++;
  return lines;
}

/** The records that begin at `offset` or later. */
export function countRecords({ bytes, isSeal = false }: Lines, offset = 0): number {
  return isSeal ? 0 : countLines(bytes.subarray(offset));
}
