/** Seals: records in the audit that chain and optionally sign the lines before them, so that a later change is found. */
import { createHash, createPublicKey, type Hash, type KeyObject, sign } from 'node:crypto';
import { countLines, newline } from '../lines.ts';

/**
 * - `started`: the first seal of a new chain; it covers no lines.
 * - `resumed`: the first seal after a restart; it covers the lines that a crash left after the last seal, if any.
 * - `sealed`: covers the lines since the last seal.
 * - `truncated`: like `sealed`, but something else has shortened the file since the last seal; lines may be missing.
 * - `stopped`: like `sealed`, at an orderly end of the process.
 */
export type SealEvent = 'started' | 'resumed' | 'sealed' | 'truncated' | 'stopped';

/** The fields of a seal in the order of its line. */
export interface Seal {
  readonly type: 'seal';
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly event: SealEvent;
  /** 16 hex digits, random, the same in all seals of a chain. */
  readonly chain: string;
  /** Counts from 0 in a chain. */
  readonly seq: number;
  /** Number of lines since the last seal, and the hex SHA-256 of their bytes, each with its newline. */
  readonly lines: number;
  readonly sha256: string;
  /** Hex SHA-256 of the line of the last seal without its newline; null for the first seal of a chain. */
  readonly previous: string | null;
  /** Records lost since the last seal. */
  readonly lost: number;
  /** The key id (`keyIdOf`); null without a key. */
  readonly key: string | null;
  /** Base64 Ed25519 signature over the line up to and without `,"signature"`; null without a key. */
  readonly signature: string | null;
}

/** Where a chain goes on: its last seal. */
export interface ChainEnd {
  readonly chain: string;
  readonly seq: number;
  /** Hex SHA-256 of the line of the last seal without its newline. */
  readonly hash: string;
}

export interface SealerOptions {
  readonly chain: string;
  /** The last seal of the chain; null: the chain begins. */
  readonly last: ChainEnd | null;
  /** Ed25519; null: seals are not signed. */
  readonly privateKey: KeyObject | null;
}

/** Hashes lines as they are written and makes the seal of those since the last one. */
export class Sealer {
  readonly #chain: string;
  readonly #privateKey: KeyObject | null;
  readonly #keyId: string | null;
  #last: ChainEnd | null;
  #hash: Hash = createHash('sha256');
  /** Of the whole lines, while the hash has a part of a line. */
  #wholeLines: Hash | null = null;
  #lines = 0;

  constructor({ chain, last, privateKey }: SealerOptions) {
    this.#chain = chain;
    this.#last = last;
    this.#privateKey = privateKey;
    this.#keyId = privateKey === null ? null : keyIdOf(createPublicKey(privateKey));
  }

  /** Number of lines since the last seal. */
  get lines(): number {
    return this.#lines;
  }

  /** Whether a part of a line waits for `endPart` or `dropPart`. */
  get hasPart(): boolean {
    return this.#wholeLines !== null;
  }

  get last(): ChainEnd | null {
    return this.#last;
  }

  /** Adds whole lines, each with its newline; `count`: their number. */
  add(bytes: Uint8Array, count: number): void {
    this.#hash.update(bytes);
    this.#lines += count;
  }

  /** Adds lines, the last of which may be a part: `endPart` or `dropPart` must follow. */
  addPart(bytes: Buffer): void {
    const end = bytes.lastIndexOf(newline) + 1;
    if (end > 0) {
      this.add(bytes.subarray(0, end), countLines(bytes));
      this.#wholeLines = null;
    }
    if (end === bytes.length) return;
    this.#wholeLines ??= this.#hash.copy();
    this.#hash.update(bytes.subarray(end));
  }

  /** The part of a line, if there is one, got its newline. */
  endPart(): void {
    if (this.#wholeLines === null) return;
    this.#wholeLines = null;
    this.add(Buffer.of(newline), 1);
  }

  /** The part of a line counts for nothing. */
  dropPart(): void {
    this.#hash = this.#wholeLines ?? this.#hash;
    this.#wholeLines = null;
  }

  /** The seal's line with its newline. `now`: milliseconds since the epoch. `lost`: records lost since the last seal. */
  seal(event: SealEvent, { now, lost }: { readonly now: number; readonly lost: number }): string {
    const seq = this.#last === null ? 0 : this.#last.seq + 1;
    const signed =
      `{"type":"seal","time":"${new Date(now).toISOString()}","event":"${event}","chain":"${this.#chain}","seq":${seq}` +
      `,"lines":${this.#lines},"sha256":"${this.#hash.digest('hex')}","previous":${quoted(this.#last?.hash ?? null)}` +
      `,"lost":${lost},"key":${quoted(this.#keyId)}`;
    const signature =
      this.#privateKey === null ? null : sign(null, Buffer.from(signed), this.#privateKey).toString('base64');
    const line = `${signed},"signature":${quoted(signature)}}`;
    this.#last = { chain: this.#chain, seq, hash: hashOfSeal(Buffer.from(line)) };
    this.#hash = createHash('sha256');
    this.#lines = 0;
    return `${line}\n`;
  }
}

/** Hex SHA-256 of a seal's line without its newline, as the next seal has it in `previous`. */
export function hashOfSeal(line: Uint8Array): string {
  return createHash('sha256').update(line).digest('hex');
}

/** The first 16 hex digits of the SHA-256 of the public key's SPKI in DER. */
export function keyIdOf(publicKey: KeyObject): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex').slice(0, 16);
}

/** Whether a line is a seal, by its first bytes: the gateway writes `type` first and no other record has this type. */
export function isSealLine(line: Uint8Array): boolean {
  return line.length > sealStart.length && sealStart.compare(line, 0, sealStart.length) === 0;
}

const sealStart = Buffer.from('{"type":"seal",');

/** The bytes of a seal's line that its signature covers; null if the line has no signature field at its end. */
export function signedBytesOf(line: Uint8Array): Uint8Array | null {
  const at = Buffer.from(line.buffer, line.byteOffset, line.length).lastIndexOf(',"signature":');
  return at < 0 ? null : line.subarray(0, at);
}

/** Hex and base64 need no escaping. */
function quoted(text: string | null): string {
  return text === null ? 'null' : `"${text}"`;
}
