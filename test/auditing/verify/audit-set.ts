/** Makes sets of audit files with the real Sealer, as a gateway that is rotated, restarted and killed writes them. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type SealEvent, Sealer } from '../../../src/audit/seals/seal.ts';
import type { Compression } from '../../../src/auditing/reading/lines.ts';

export const keyPair = generateKeyPairSync('ed25519');

/** What happens to the log, in order. */
export type Step =
  | { readonly do: 'write'; readonly lines: number }
  | { readonly do: 'seal' }
  /** As the gateway does it: a seal, then a new file. */
  | { readonly do: 'rotate' }
  /** As logrotate does it: a new file, whatever is sealed. */
  | { readonly do: 'rename' }
  | { readonly do: 'restart' }
  /** `half`: a line is cut off by the kill. */
  | { readonly do: 'kill'; readonly half: boolean }
  | { readonly do: 'lose'; readonly records: number }
  /** Lines and seals written between the copy and the truncation are gone. */
  | { readonly do: 'copytruncate'; readonly lines: number; readonly seals: number };

export interface AuditSet {
  /** Oldest first; the lines of each file without newlines. */
  readonly files: string[][];
  /** Index of files that end within a line → that part. */
  readonly halves: Map<number, string>;
}

let chains = 0;

export class AuditSetWriter implements AuditSet {
  readonly files: string[][] = [[]];
  readonly halves = new Map<number, string>();
  #privateKey: KeyObject | null;
  #sealer: Sealer;
  #now: number;
  #records = 0;
  #tail: string[] = [];

  constructor({
    privateKey = keyPair.privateKey,
    now = Date.UTC(2026, 10, 29),
  }: { readonly privateKey?: KeyObject | null; readonly now?: number } = {}) {
    this.#privateKey = privateKey;
    this.#now = now;
    this.#sealer = this.#newChain();
    this.seal('started');
  }

  run(steps: readonly Step[]): this {
    for (const step of steps) this.#do(step);
    return this;
  }

  seal(event: SealEvent, lost = 0): void {
    this.#push(this.#sealed(event, lost));
    this.#tail = [];
  }

  write(lines: number): void {
    for (let line = 0; line < lines; line++) this.add(this.record());
  }

  /** Any line, which the next seal covers. */
  add(line: string): void {
    this.#sealer.add(Buffer.from(`${line}\n`), 1);
    this.#push(line, this.#tail);
  }

  record(): string {
    this.#now += 7;
    this.#records++;
    return `{"type":"message","time":"${new Date(this.#now).toISOString()}","conn_id":"c${this.#records}","status":200}`;
  }

  /** The process ends without a last seal, and the next one begins a chain of its own. */
  restartWithNewChain(): void {
    this.#sealer = this.#newChain();
    this.seal('started');
  }

  /** The file was cut back to an earlier seal, and the gateway goes on behind the last seal that it remembers. */
  cutBackAndRestart(seals: number): void {
    const lines = this.files.at(-1) ?? [];
    const isSeal = (line: string) => line.startsWith('{"type":"seal"');
    for (let left = seals; left > 0 || !isSeal(lines.at(-1) ?? ''); ) if (isSeal(lines.pop() ?? '')) left--;
    this.#tail = [];
    this.#resume();
  }

  /** For the seals after the next restart. */
  replaceKey(privateKey: KeyObject | null): void {
    this.#privateKey = privateKey;
  }

  #do(step: Step): void {
    switch (step.do) {
      case 'write':
        return this.write(step.lines);
      case 'seal':
        return this.seal('sealed');
      case 'rotate':
        this.seal('sealed');
        this.files.push([]);
        return;
      case 'rename':
        this.files.push([]);
        return;
      case 'restart':
        this.seal('stopped');
        return this.#resume();
      case 'kill':
        if (step.half) this.#push(this.record().slice(0, 20), this.#tail);
        return this.#resume();
      case 'lose':
        return this.seal('sealed', step.records);
      case 'copytruncate':
        return this.#copyTruncate(step);
      default:
        return step satisfies never;
    }
  }

  #copyTruncate({ lines, seals }: { readonly lines: number; readonly seals: number }): void {
    for (let seal = 0; seal < seals; seal++) {
      this.#sealer.add(Buffer.from(`${this.record()}\n`), 1);
      this.#sealed('sealed', 0);
    }
    for (let line = 0; line < lines; line++) this.#sealer.add(Buffer.from(`${this.record()}\n`), 1);
    this.files.push([]);
    this.seal('truncated');
  }

  /** As a new process does: it hashes what the last one left after its last seal. */
  #resume(): void {
    const chain = this.#sealer.last?.chain ?? '';
    this.#sealer = new Sealer({ chain, last: this.#sealer.last, privateKey: this.#privateKey });
    for (const line of this.#tail) this.#sealer.add(Buffer.from(`${line}\n`), 1);
    this.seal('resumed');
  }

  #newChain(): Sealer {
    chains++;
    const chain = chains.toString(16).padStart(16, '0');
    return new Sealer({ chain, last: null, privateKey: this.#privateKey });
  }

  #sealed(event: SealEvent, lost: number): string {
    this.#now += 3;
    return this.#sealer.seal(event, { now: this.#now, lost }).trimEnd();
  }

  #push(line: string, tail: string[] | null = null): void {
    this.files.at(-1)?.push(line);
    tail?.push(line);
  }
}

export interface WriteOptions {
  readonly folder: string;
  /** Of each file, used again from the first on. */
  readonly compressions?: readonly Compression[];
}

/** The paths, oldest first. Their names say nothing about their order. */
export function writeSet(
  { files, halves }: AuditSet,
  { folder, compressions = ['none'] }: WriteOptions,
): string[] {
  return files.map((lines, index) => {
    const path = join(folder, `${(index * 7919) % 1000}-${index}.log`);
    const content = Buffer.from(
      lines.map((line) => `${line}\n`).join('') + (halves.get(index) ?? ''),
      'latin1',
    );
    writeFileSync(path, compressed(content, compressions[index % compressions.length] ?? 'none'));
    return path;
  });
}

function compressed(content: Buffer, compression: Compression): Buffer {
  switch (compression) {
    case 'none':
      return content;
    case 'gzip':
      return gzipSync(content);
    case 'zstd':
      return zstdCompressSync(content);
    default:
      return compression satisfies never;
  }
}
