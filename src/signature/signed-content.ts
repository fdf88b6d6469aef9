/** What is signed: the body alone, or `timestamp.signed` with the timestamp and the body in their places. */

interface Template {
  readonly before: string;
  readonly between: string;
  readonly after: string;
  readonly timestampFirst: boolean;
}

export class SignedContent {
  readonly #template: Template | null;

  /** `signed`: with `{timestamp}` and `{body}` once each, as the schema demands; null: the body alone. */
  constructor(signed: string | null) {
    this.#template = signed === null ? null : templateOf(signed);
  }

  /** In their order; to be read as one. `timestamp`: as received. */
  parts(timestamp: string, body: Buffer): Buffer[] {
    if (this.#template === null) return [body];
    const { before, between, after, timestampFirst } = this.#template;
    return timestampFirst
      ? [Buffer.from(`${before}${timestamp}${between}`), body, Buffer.from(after)]
      : [Buffer.from(before), body, Buffer.from(`${between}${timestamp}${after}`)];
  }
}

function templateOf(signed: string): Template {
  const [timestamp, body] = [signed.indexOf('{timestamp}'), signed.indexOf('{body}')];
  const timestampFirst = timestamp < body;
  const [first, second] = timestampFirst ? ['{timestamp}', '{body}'] : ['{body}', '{timestamp}'];
  const [start, next] = [signed.indexOf(first), signed.indexOf(second)];
  return {
    before: signed.slice(0, start),
    between: signed.slice(start + first.length, next),
    after: signed.slice(next + second.length),
    timestampFirst,
  };
}

/** The parts as one buffer: without a copy if there is one part. */
export function joinParts(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
}
