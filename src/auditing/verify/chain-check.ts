/** Checks the seals of one chain in the order of the files: each against the one before it and against its lines. */

import type { ReadSeal, SignatureState } from '../../audit/seals/seal-reader.ts';
import type { Line } from '../reading/lines.ts';
import { checkContent, isMovedSeal, type SealedLines } from './covered-lines.ts';
import { type Facts, type Finding, newFinding, type Place, placeOf } from './finding.ts';
import type { Findings } from './findings.ts';
import { KeyCheck } from './key-check.ts';
import { Interval } from './lines-since-seal.ts';
import { missingSeals, unprovenBegin } from './missing-lines.ts';
import { ReturningSeals } from './repeated-seals.ts';
import { SealedGaps } from './sealed-gaps.ts';
import type { FaultLocator } from './wrong-lines.ts';

export interface FoundSeal {
  readonly seal: ReadSeal;
  readonly line: Line;
  /** null: no public key was given. */
  readonly signature: SignatureState | null;
}

/** The last seal of the chain so far. */
interface Tip {
  readonly seal: ReadSeal;
  /** The number that it has by its place in the chain. */
  readonly seq: number;
  readonly place: Place;
  /** The tampering that this seal may be part of. */
  readonly suspect: Finding | null;
  /** The lines that it should cover and does not. */
  readonly wrong: { readonly interval: Interval; readonly finding: Finding } | null;
}

interface Advance {
  /** The number of the seal by its place in the chain; default: what it states. */
  readonly seq?: number;
  readonly suspect: Finding | null;
  /** What was before the lines is missing, so that they cannot be compared. */
  readonly skipsContent?: boolean;
}

export interface ChainCheckOptions {
  readonly findings: Findings;
  /** Shared by all chains, because its time is limited. */
  readonly locator: FaultLocator;
  /** See `KeyCheckOptions`. */
  readonly acceptsConfirmed: boolean;
}

export class ChainCheck {
  readonly chain: string;
  /** The lines since the last seal. */
  interval = new Interval();
  readonly keys = new Set<string | null>();
  seals = 0;
  /** Lines that a seal covers. */
  sealedLines = 0;
  readonly #findings: Findings;
  readonly #locator: FaultLocator;
  readonly #signatures: KeyCheck;
  readonly #returning: ReturningSeals;
  readonly #gaps: SealedGaps;
  #first: FoundSeal | null = null;
  #tip: Tip | null = null;

  constructor(chain: string, { findings, locator, acceptsConfirmed }: ChainCheckOptions) {
    this.chain = chain;
    this.#locator = locator;
    this.#findings = findings;
    this.#signatures = new KeyCheck({ findings, acceptsConfirmed });
    this.#returning = new ReturningSeals({ findings, locator });
    this.#gaps = new SealedGaps(findings);
  }

  /** null: none yet. */
  get first(): FoundSeal | null {
    return this.#first;
  }

  get tip(): Pick<Tip, 'seal' | 'seq' | 'place'> | null {
    return this.#tip;
  }

  /** The lines behind the seals of another chain that were inserted into this one. */
  takeLines(other: ChainCheck): void {
    if (this.interval.append(other.interval)) other.interval = new Interval();
  }

  isContinuedBy(seal: ReadSeal): boolean {
    return this.#tip !== null && seal.previous === this.#tip.seal.hash;
  }

  check(found: FoundSeal): void {
    const { seal } = found;
    this.#first ??= found;
    this.seals++;
    this.keys.add(seal.key);
    const tip = this.#tip;
    if (tip === null) return this.#begin(found);
    if (this.isContinuedBy(seal)) return this.#continue(found, tip);
    if (seal.chain === this.chain && seal.seq === tip.seq + 1) return this.#breakLink(found, tip);
    if (seal.seq > tip.seq) return this.#isForged(found) ? this.#refuse(found, tip) : this.#skip(found, tip);
    const { interval } = this;
    this.interval = this.#returning.check({
      ...{ seal, interval, place: placeOf(found.line), facts: this.#facts(found) },
    });
  }

  #begin(found: FoundSeal): void {
    const { seal } = found;
    const { interval } = this;
    if (seal.seq === 0) {
      const isWellFormed = seal.event === 'started' && seal.previous === null && seal.lines === 0;
      return this.#advance(found, { suspect: isWellFormed ? null : this.#reportAltered(found, [0, 0]) });
    }
    const isCut = interval.count < seal.lines && interval.covers(seal) === 'none';
    const unproven = isCut ? unprovenBegin({ interval, facts: this.#facts(found) }) : null;
    if (unproven !== null) this.#findings.add(unproven);
    this.#advance(found, { suspect: null, skipsContent: isCut });
  }

  /** It has the hash of the last seal. */
  #continue(found: FoundSeal, { seal: last, seq: lastSeq, suspect: lastSuspect }: Tip): void {
    const { seal } = found;
    const seq = lastSeq + 1;
    if (lastSuspect?.kind === 'seal_altered' && lastSuspect.seals !== null)
      // This seal agrees with the last one, so that the one before it was altered.
      lastSuspect.seals.last = lastSuspect.seals.first;
    const isCut = lastSuspect?.kind === 'lines_removed' || lastSuspect?.kind === 'seals_missing';
    // The gateway noticed only with this seal that the file was shortened. What is missing before a restart was missing
    // when it opened the file.
    const isNoticed = seal.event === 'truncated' && last.event !== 'resumed';
    if (isNoticed && isCut && !lastSuspect.isConfirmed) this.#findings.change(lastSuspect, 'gap');
    const isNext = seal.seq === seq && seal.chain === this.chain && seal.event !== 'started';
    this.#advance(found, { seq, suspect: isNext ? null : this.#reportAltered(found, [seq, seq]) });
  }

  /** It follows the last seal by its number and has not its hash: one of the two was altered. */
  #breakLink(found: FoundSeal, { seq, suspect }: Tip): void {
    if (suspect === null || isRun(suspect))
      return this.#advance(found, { suspect: this.#reportAltered(found, [seq, seq + 1]) });
    // Reported already; now it is known that the seal itself was altered.
    suspect.isConfirmed = true;
    this.#findings.change(suspect, 'tampering');
    if (suspect.kind === 'lines_changed') suspect.kind = 'seal_altered';
    if (suspect.kind === 'seal_altered') suspect.seals = { first: seq, last: seq };
    this.#advance(found, { suspect: null });
  }

  /** Not even the seal before it is known, and in a signed chain its own number is proven by nothing. */
  #isForged({ signature }: FoundSeal): boolean {
    return this.#signatures.hasValid && signature !== null && signature !== 'valid';
  }

  /** The chain goes on as if it were not there, so that it hides no later fault. */
  #refuse({ seal, line, signature }: FoundSeal, { place: before }: Tip): void {
    const at = { place: placeOf(line), before };
    this.#signatures.check({ seal, signature, ...at, isLinked: false, isSuspect: false });
  }

  /** Seals between the last one and this one are missing. */
  #skip(found: FoundSeal, tip: Tip): void {
    const { seal } = found;
    const isCovered = this.interval.covers(seal) !== 'none';
    const seals = { first: tip.seq + 1, last: seal.seq - 1 };
    const facts = { ...this.#facts(found), seals, detail: isCovered ? null : 'lines unproven' };
    const finding = missingSeals({ seal, interval: this.interval, facts });
    this.#findings.add(finding);
    this.#returning.noteMissing(finding);
    if (isCovered) this.sealedLines += seal.lines;
    this.#advance(found, { suspect: finding.severity === 'gap' ? null : finding, skipsContent: true });
  }

  #advance(found: FoundSeal, { suspect, seq = found.seal.seq, skipsContent = false }: Advance): void {
    const { seal, line, signature } = found;
    const { interval } = this;
    const before = this.#tip?.place ?? null;
    const place = placeOf(line);
    const isLinked = this.isContinuedBy(seal);
    const isSuspect = suspect !== null;
    const signatureFault = this.#signatures.check({ seal, signature, place, before, isLinked, isSuspect });
    // An altered seal says nothing about its lines.
    const altered = suspect ?? (signatureFault?.kind === 'signature_invalid' ? signatureFault : null);
    const content = skipsContent ? null : this.#checkContent({ seal, place, before }, altered);
    if (content === null || content.severity === 'gap') this.sealedLines += skipsContent ? 0 : seal.lines;
    const isCovered = (content === null || content.kind === 'other_lines') && !skipsContent;
    const former = this.#tip?.seal.event ?? null;
    this.#gaps.note(seal, { facts: this.#facts(found), interval, former, isCovered });
    const contentFault = content?.severity === 'tampering' ? content : null;
    const wrongFor = contentFault ?? (suspect?.detail === 'lines unproven' ? suspect : null);
    const wrong = wrongFor === null ? null : { interval, finding: wrongFor };
    this.#tip = { seal, seq, place, wrong, suspect: suspect ?? signatureFault ?? contentFault };
    this.#returning.history.add(seq, seal.hash);
    this.interval = new Interval();
  }

  /** `altered`: what was reported about the seal itself. */
  #checkContent(sealed: Omit<SealedLines, 'interval' | 'locator'>, altered: Finding | null): Finding | null {
    const { interval } = this;
    const finding = checkContent({ ...sealed, interval, locator: this.#locator });
    if (finding === null) return null;
    if (altered !== null && finding.severity === 'tampering') {
      altered.detail = 'lines unproven';
      return altered;
    }
    const tip = this.#tip;
    if (tip?.wrong != null && isMovedSeal([tip.wrong.interval, interval], [tip.seal, sealed.seal])) {
      const [kind, seals] = ['lines_reordered' as const, { first: tip.seq, last: tip.seq }];
      Object.assign(tip.wrong.finding, { kind, detail: 'seal', to: sealed.place, count: null, seals });
      return null;
    }
    if (finding.severity === 'gap') this.#gaps.join(finding);
    else this.#findings.add(finding);
    return finding;
  }

  #reportAltered(found: FoundSeal, [first, last]: readonly [number, number]): Finding {
    const facts = { ...this.#facts(found), seals: { first, last } };
    const finding = newFinding('seal_altered', 'tampering', facts);
    this.#findings.add(finding);
    return finding;
  }

  #facts({ seal, line }: FoundSeal): Facts {
    const seals = { first: seal.seq, last: seal.seq };
    return { from: this.#tip?.place ?? null, to: placeOf(line), chain: this.chain, seals };
  }
}

/** About the signatures of several seals, so that it does not explain a fault of one of them. */
function isRun({ kind, seals }: Finding): boolean {
  const isAboutKeys = kind === 'key_unknown' || kind === 'seal_unsigned';
  return isAboutKeys && seals !== null && seals.first < seals.last;
}
