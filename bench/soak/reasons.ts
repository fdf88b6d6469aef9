/** Why connections and messages ended, from the audit file, since the last call. */
import { open } from 'node:fs/promises';

export class Reasons {
  readonly #file: string;
  #read = 0;

  constructor(file: string) {
    this.#file = file;
  }

  /** How often each reason occurred since the last call, and `client_gone` where the client left. */
  async count(): Promise<Map<string, number>> {
    await using file = await open(this.#file);
    const { size } = await file.stat();
    const { buffer } = await file.read(Buffer.alloc(size - this.#read), 0, size - this.#read, this.#read);
    this.#read = size;
    const counts = new Map<string, number>();
    for (const [, gone, reason = gone] of buffer
      .toString('latin1')
      .matchAll(/"outcome":"(client_gone)"|"reason":"(\w+)"/g)) {
      if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    }
    return counts;
  }
}
