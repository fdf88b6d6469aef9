/** Reads and writes the presentation language of TLS (RFC 8446 §3): numbers and vectors with a length in front. */

/** The bytes are not the expected structure. Only codecs see it: they return a value instead. */
export class WireError extends Error {}

/** Reads one structure from its start to its end; each method throws WireError where the bytes end too early. */
export class WireCursor {
  readonly #bytes: Buffer;
  readonly #name: string;
  #at = 0;

  /** `name`: of the structure, for messages. */
  constructor(bytes: Buffer, name: string) {
    this.#bytes = bytes;
    this.#name = name;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  octets(count: number): Buffer {
    if (this.#at + count > this.#bytes.length) throw this.error('is cut off');
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  /** A number of 1 to 3 octets. */
  number(octets: number): number {
    return this.octets(octets).readUIntBE(0, octets);
  }

  /** The contents of a vector whose length takes `octets`, of `min` octets or more. */
  vector(octets: number, min = 0): Buffer {
    const length = this.number(octets);
    if (length < min) throw this.error(`has a vector of ${length} bytes instead of ${min} or more`);
    return this.octets(length);
  }

  /** A vector of vectors. */
  vectors(octets: number, { each, min = 0 }: { readonly each: number; readonly min?: number }): Buffer[] {
    const list = new WireCursor(this.vector(octets), this.#name);
    const found: Buffer[] = [];
    while (!list.isAtEnd) found.push(list.vector(each, min));
    return found;
  }

  /** A vector of numbers of two octets each. */
  codes(octets: number, min = 0): number[] {
    const list = new WireCursor(this.vector(octets, min), this.#name);
    const found: number[] = [];
    while (!list.isAtEnd) found.push(list.number(2));
    return found;
  }

  /** Everything must have been read. */
  close(): void {
    if (!this.isAtEnd) throw this.error(`has ${this.#bytes.length - this.#at} bytes too many`);
  }

  error(problem: string): WireError {
    return new WireError(`${this.#name} ${problem}`);
  }
}

/** A number of 1 to 3 octets. */
export function writeNumber(value: number, octets: number): Buffer {
  const bytes = Buffer.alloc(octets);
  bytes.writeUIntBE(value, 0, octets);
  return bytes;
}

/** A vector: its length in `octets` octets, then its contents. */
export function writeVector(octets: number, ...contents: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(contents);
  return Buffer.concat([writeNumber(body.length, octets), body]);
}
