/** Follows which chain goes on after which in a file: seals of another chain among those of this one were inserted. */
import type { ReadSeal } from '../../audit/seals/seal-reader.ts';
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

interface Last {
  readonly chain: ChainCheck;
  readonly place: Place;
}

export class ChainSwitches {
  readonly #findings: Findings;
  /** Chains with seals in this file. */
  readonly #known = new Set<ChainCheck>();
  /** Those whose seals no gateway wrote there; each is reported once in a file. */
  readonly #strays = new Set<ChainCheck>();
  /** The last seal of the file that is in its place; null: none yet. */
  #last: Last | null = null;
  /** In all files: chains behind which another one began, and that one. */
  readonly #ended = new Map<ChainCheck, Last>();

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
      const inserted = last === null ? this.#ended.get(chain) : undefined;
      if (last !== null && last.chain !== chain) this.#ended.set(last.chain, { chain, place });
      this.#note({ chain, place });
      if (inserted === undefined) return null;
      this.#ended.delete(chain);
      this.#report(inserted.chain, { from: inserted.place, to: place });
      return inserted.chain;
    }
    const stray = isKnown ? last.chain : chain;
    this.#strays.add(stray);
    this.#ended.delete(chain);
    this.#report(stray, { from: last.place, to: place });
    if (isKnown) this.#note({ chain, place });
    return stray;
  }

  #report({ chain }: ChainCheck, places: { readonly from: Place; readonly to: Place }): void {
    this.#findings.add(newFinding('chain_inserted', 'tampering', { ...places, chain }));
  }

  #note(last: Last): void {
    this.#last = last;
    this.#known.add(last.chain);
  }
}
