/** The verification as a fold over the lines of all files: knows the chains, and which of them a line belongs to. */
import type { KeyObject } from 'node:crypto';
import { checkSignature, type ReadSeal, readSeal } from '../../audit/seals/seal-reader.ts';
import { UsageError } from '../../errors.ts';
import type { AuditFile } from '../reading/audit-files.ts';
import type { Line } from '../reading/lines.ts';
import { timeOfLine } from '../reading/record-line.ts';
import { ChainCheck } from './chain-check.ts';
import { chainEndFindings } from './chain-ends.ts';
import { partialLineFinding } from './finding.ts';
import { Findings } from './findings.ts';
import { ChainSwitches } from './inserted-chains.ts';
import { Interval } from './lines-since-seal.ts';
import { FaultLocator } from './wrong-lines.ts';

export interface FileSummary {
  readonly path: string;
  readonly compression: AuditFile['compression'];
  lines: number;
  seals: number;
  /** ISO 8601; null: no line has a time. */
  firstTime: string | null;
  lastTime: string | null;
}

export interface VerificationOptions {
  /** The public keys by their ids; null: signatures are not checked. */
  readonly keys: ReadonlyMap<string, KeyObject> | null;
  /**
   * Seals without a signature, or of a key that was not given, are a gap if they stand before the first right signature
   * of their chain, which confirms them; default: they are tampering.
   */
  readonly acceptsConfirmed?: boolean | undefined;
  readonly maxChains?: number | undefined;
}

/** Each takes some kilobytes. A gateway whose audit is a pipe begins one at each start. */
const maxChainsByDefault = 100_000;

export class Verification {
  readonly findings = new Findings();
  readonly files: FileSummary[] = [];
  readonly chains = new Map<string, ChainCheck>();
  /** By the hash of their last seal. */
  readonly #byLastSeal = new Map<string, ChainCheck>();
  readonly #options: VerificationOptions;
  /** The chain that the next line belongs to; null: none has begun. */
  #current: ChainCheck | null = null;
  /** Lines before the first chain. */
  #before = new Interval();
  readonly #locator = new FaultLocator();
  readonly #switches = new ChainSwitches(this.findings);
  #last: Line | null = null;
  #partial: Line | null = null;

  constructor(options: VerificationOptions) {
    this.#options = options;
  }

  /** Whether there is a line before the first chain that begins as a seal and is none. */
  get hasDamagedSeal(): boolean {
    return this.#before.damagedSeals.length > 0;
  }

  startFile({ path, compression, firstSeal }: AuditFile): void {
    this.#endFile();
    this.#switches.startFile();
    this.files.push({ path, compression, lines: 0, seals: 0, firstTime: null, lastTime: null });
    // A file that begins a chain may still have lines of the chain before it. All others begin within their chain.
    if (firstSeal === null || firstSeal.seq === 0) return;
    const known = this.chains.get(firstSeal.chain) ?? this.#continuedBy(firstSeal.previous);
    this.#current = known ?? this.#open(firstSeal.chain);
  }

  /** In the order of the file. */
  addLines(lines: readonly Line[]): void {
    const file = this.files.at(-1);
    if (file === undefined) throw new Error('no file was started');
    for (const line of lines) {
      file.lines++;
      file.firstTime ??= timeOfLine(line.bytes);
      if (!line.isWhole) this.#partial = line;
      else this.#addLine(line, file);
    }
    this.#last = lines.at(-1) ?? this.#last;
  }

  /** To be called once, after the last line. */
  finish(): void {
    const partial = this.#partial;
    this.#endFile();
    const chains = [...this.chains.values()];
    const facts = { before: this.#before, chains, current: this.#current, partial };
    for (const finding of chainEndFindings(facts)) this.findings.add(finding);
  }

  #addLine(line: Line, file: FileSummary): void {
    const seal = readSeal(line.bytes);
    if (seal === null) {
      (this.#current?.interval ?? this.#before).add(line);
      return;
    }
    file.seals++;
    const chain = this.#chainOf(seal);
    const stray = this.#switches.check({ chain, seal, line });
    if (stray === chain) {
      if (chain.first === null) this.chains.delete(chain.chain);
      return;
    }
    if (stray !== null) chain.takeLines(stray);
    this.#current = chain;
    this.#check(chain, { seal, line });
  }

  #check(chain: ChainCheck, { seal, line }: { readonly seal: ReadSeal; readonly line: Line }): void {
    const { keys } = this.#options;
    const signature = keys === null ? null : checkSignature(seal, { line: line.bytes, keys });
    const before = chain.tip?.seal.hash;
    chain.check({ seal, line, signature });
    const after = chain.tip?.seal.hash;
    if (before !== undefined && before !== after) this.#byLastSeal.delete(before);
    if (after !== undefined) this.#byLastSeal.set(after, chain);
  }

  #chainOf(seal: ReadSeal): ChainCheck {
    const known = this.chains.get(seal.chain) ?? this.#continuedBy(seal.previous);
    if (known !== null) return known;
    if (seal.seq === 0) return this.#openEmpty(seal.chain);
    return this.#open(seal.chain);
  }

  /** A chain whose id was altered is known by its hash. */
  #continuedBy(previous: string | null): ChainCheck | null {
    return previous === null ? null : (this.#byLastSeal.get(previous) ?? null);
  }

  /** Lines before the first chain may belong to it. */
  #open(id: string): ChainCheck {
    const chain = this.#openEmpty(id);
    if (this.chains.size > 1) return chain;
    chain.interval = this.#before;
    this.#before = new Interval();
    return chain;
  }

  /** Throws UsageError. */
  #openEmpty(id: string): ChainCheck {
    const { maxChains = maxChainsByDefault } = this.#options;
    if (this.chains.size >= maxChains)
      throw new UsageError(`the files have more than ${maxChains} chains; verify them in parts`);
    const chain = new ChainCheck(id, {
      findings: this.findings,
      locator: this.#locator,
      acceptsConfirmed: this.#options.acceptsConfirmed ?? false,
    });
    this.chains.set(id, chain);
    return chain;
  }

  #endFile(): void {
    const file = this.files.at(-1);
    if (file !== undefined && this.#last !== null && file.lines > 0) {
      file.lastTime = timeOfLine(this.#last.bytes) ?? file.firstTime;
    }
    if (this.#partial !== null) this.findings.add(partialLineFinding(this.#partial));
    this.#partial = null;
    this.#last = null;
  }
}
