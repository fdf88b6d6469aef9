/** Follows which chain goes on after which in a file: seals of another chain among those of this one were inserted. */
import type { ReadSeal } from '../../audit/seal-reader.ts';
import type { Line } from '../reading/lines.ts';
import type { ChainCheck } from './chain-check.ts';
import { newFinding, type Place, placeOf } from './finding.ts';
import type { Findings } from './findings.ts';

export interface SwitchingSeal {
  /** The chain that the seal belongs to, before the seal is checked. */
  readonly chain: ChainCheck;
  readonly seal: ReadSeal;
  readonly line: Line;
}

export class ChainSwitches {
  /** Chains with seals that no gateway wrote there; each is reported once. */
  readonly strays = new Set<ChainCheck>();
  readonly #findings: Findings;
  /** The last seal of the file; null: none yet. */
  #last: { readonly chain: ChainCheck; readonly place: Place } | null = null;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  startFile(): void {
    this.#last = null;
  }

  /** A gateway that does not go on with the chain of its file begins one, and never goes back to a former one. */
  check({ chain, seal, line }: SwitchingSeal): void {
    const last = this.#last;
    const place = placeOf(line);
    this.#last = { chain, place };
    if (last === null || last.chain === chain) return;
    const isBegin = chain.first === null && seal.event === 'started';
    if (isBegin || this.strays.has(last.chain) || this.strays.has(chain)) return;
    // A chain that began before it was left again is the stranger.
    const stray = chain.first === null ? chain : last.chain;
    this.strays.add(stray);
    const facts = { from: last.place, to: place, chain: stray.chain };
    this.#findings.add(newFinding('chain_inserted', 'tampering', facts));
  }
}
