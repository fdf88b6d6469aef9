/** Whole audit lines as bytes, as the writer queues them. */

export interface Lines {
  readonly bytes: Uint8Array;
  /** Called when the bytes are no longer needed. */
  readonly done: (() => void) | undefined;
}

export const newline = 0x0a;

/** Joins the queue into one chunk for a single write; calls `done` of what was copied. */
export function joined(queue: readonly Lines[]): Lines {
  const [first] = queue;
  if (queue.length === 1 && first !== undefined) return first;
  const bytes = Buffer.concat(queue.map((each) => each.bytes));
  for (const { done } of queue) done?.();
  return { bytes, done: undefined };
}

export function countLinesOf(queue: readonly Lines[]): number {
  return queue.reduce((sum, { bytes }) => sum + countLines(bytes), 0);
}

export function countLines(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, at + 1)) lines++;
  return lines;
}
