/** What is known about the begin and the end of each chain when all files are read. */

import type { Line } from '../reading/lines.ts';
import type { ChainCheck } from './chain-check.ts';
import { ChainPeriods } from './chain-periods.ts';
import { changedSeals, damagedSealFinding } from './damaged-seals.ts';
import { type Finding, newFinding, placeOf } from './finding.ts';
import type { Interval } from './lines-since-seal.ts';

export interface ReadChains {
  /** Lines before the first chain. */
  readonly before: Interval;
  /** In the order of their first seals. */
  readonly chains: readonly ChainCheck[];
  /** The chain of the last line. */
  readonly current: ChainCheck | null;
  /** The unfinished line at the end of the last file. */
  readonly partial: Line | null;
}

export function chainEndFindings({ before, chains, current, partial }: ReadChains): Finding[] {
  const found: Finding[] = [];
  if (before.first !== null) {
    const to = chains[0]?.first == null ? null : placeOf(chains[0].first.line);
    const damaged = damagedSealFinding(before, { count: null });
    if (damaged !== null) found.push(damaged);
    found.push(newFinding('begin_unsealed', 'gap', { from: placeOf(before.first), to, count: before.count }));
  }
  const periods = new ChainPeriods(chains);
  for (const [index, chain] of chains.entries()) {
    const [former = null, next = null] = [chains[index - 1], chains[index + 1]];
    found.push(...beginOf(chain, { former, periods }));
    found.push(...tailOf(chain, chain === current ? partial : null));
    found.push(...endOf(chain, { next, periods }));
  }
  return found;
}

function beginOf(
  chain: ChainCheck,
  { former, periods }: { readonly former: ChainCheck | null; readonly periods: ChainPeriods },
): Finding[] {
  const { first } = chain;
  if (first === null || first.seal.seq === 0) return [];
  const to = placeOf(first.line);
  const facts = { to, chain: chain.chain, seals: { first: 0, last: first.seal.seq - 1 } };
  if (former === null || periods.isBegunWithinAnother(chain))
    return [newFinding('older_files_absent', 'notice', facts)];
  const from = former.tip?.place ?? null;
  return [newFinding('chain_begin_missing', 'tampering', { ...facts, from })];
}

function tailOf({ chain, interval, tip }: ChainCheck, partial: Line | null): Finding[] {
  if (interval.count === 0 && partial === null) return [];
  const detail = tip?.seal.event === 'stopped' ? 'after an orderly stop' : null;
  const from = tip?.place ?? null;
  const seals = tip === null ? null : { first: tip.seq + 1, last: tip.seq + changedSeals(interval).length };
  const damaged = damagedSealFinding(interval, { chain, seals });
  const tail = newFinding('tail_unsealed', 'gap', { from, chain, count: interval.count, detail });
  return damaged === null ? [tail] : [damaged, tail];
}

/** A chain that another one follows should end with an orderly stop. */
function endOf(
  chain: ChainCheck,
  { next, periods }: { readonly next: ChainCheck | null; readonly periods: ChainPeriods },
): Finding[] {
  const { tip } = chain;
  if (tip === null || tip.seal.event === 'stopped' || chain.interval.count > 0) return [];
  if (next?.first == null || periods.goesOnWhileAnotherBegins(chain)) return [];
  const to = placeOf(next.first.line);
  return [newFinding('chain_end_open', 'gap', { from: tip.place, to, chain: chain.chain })];
}
