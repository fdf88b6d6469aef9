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
  readonly #findings: Findings;
  /** Chains with seals in this file. */
  readonly #known = new Set<ChainCheck>();
  /** Those whose seals no gateway wrote there; each is reported once in a file. */
  readonly #strays = new Set<ChainCheck>();
  /** The last seal of the file that is in its place; null: none yet. */
  #last: { readonly chain: ChainCheck; readonly place: Place } | null = null;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  startFile(): void {
    this.#last = null;
    this.#known.clear();
    this.#strays.clear();
  }

  /**
   * A gateway that does not go on with the chain of its file begins one, and never goes back to a former one.
   *
   * @returns the chain that is not in its place, the one of this seal or of the seals before it; null: none.
   */
  check({ chain, seal, line }: SwitchingSeal): ChainCheck | null {
    if (this.#strays.has(chain)) return chain;
    const last = this.#last;
    const place = placeOf(line);
    const isKnown = this.#known.has(chain);
    const isBegin = chain.first === null && seal.event === 'started';
    if (last === null || last.chain === chain || isBegin) {
      this.#note({ chain, place });
      return null;
    }
    const stray = isKnown ? last.chain : chain;
    this.#strays.add(stray);
    const facts = { from: last.place, to: place, chain: stray.chain };
    this.#findings.add(newFinding('chain_inserted', 'tampering', facts));
    if (isKnown) this.#note({ chain, place });
    return stray;
  }

  #note(last: { readonly chain: ChainCheck; readonly place: Place }): void {
    this.#last = last;
    this.#known.add(last.chain);
  }
}
