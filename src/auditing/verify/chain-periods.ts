/** Which chains go on at the same time: then they are of two gateways. Also for thousands of chains. */
import type { ChainCheck } from './chain-check.ts';

interface Period {
  readonly chain: ChainCheck;
  /** ISO 8601 times of its first and last seal. */
  readonly begin: string;
  readonly end: string;
}

export class ChainPeriods {
  /** By their begin. */
  readonly #periods: readonly Period[];
  /** For each of them, the two that end last among it and those before it. */
  readonly #longest: (readonly Period[])[] = [];

  constructor(chains: readonly ChainCheck[]) {
    this.#periods = chains
      .flatMap(periodOf)
      .sort((a, b) => (a.begin < b.begin ? -1 : a.begin > b.begin ? 1 : 0));
    let longest: readonly Period[] = [];
    for (const period of this.#periods) {
      longest = [...longest, period].sort((a, b) => (a.end > b.end ? -1 : 1)).slice(0, 2);
      this.#longest.push(longest);
    }
  }

  /** Whether another chain goes on while this one begins. */
  isBegunWithinAnother(chain: ChainCheck): boolean {
    const [period] = periodOf(chain);
    if (period === undefined) return false;
    const others = this.#longest[this.#countBefore(period.begin, { included: true }) - 1] ?? [];
    return others.some((other) => other.chain !== chain && period.begin < other.end);
  }

  /** Whether another chain begins while this one goes on. */
  goesOnWhileAnotherBegins(chain: ChainCheck): boolean {
    const [period] = periodOf(chain);
    if (period === undefined) return false;
    const from = this.#countBefore(period.begin, { included: false });
    const begun = this.#countBefore(period.end, { included: false }) - from;
    const itself = period.begin < period.end ? 1 : 0;
    return begun > itself;
  }

  /** Number of chains that begin before the time; `included`: or at that time. */
  #countBefore(time: string, { included }: { readonly included: boolean }): number {
    let [low, high] = [0, this.#periods.length];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const begin = this.#periods[middle]?.begin ?? '';
      if (begin < time || (included && begin === time)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

function periodOf(chain: ChainCheck): Period[] {
  const { first, tip } = chain;
  return first === null || tip === null ? [] : [{ chain, begin: first.seal.time, end: tip.seal.time }];
}
