/** What is known about the begin and the end of each chain when all files are read. */

import type { Line } from '../reading/lines.ts';
import type { ChainCheck } from './chain-check.ts';
import { changedSeals, damagedSealFinding } from './damaged-seals.ts';
import { type Finding, newFinding, placeOf } from './finding.ts';
import type { Interval } from './interval.ts';

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
  for (const chain of chains) {
    found.push(...beginOf(chain, chains), ...tailOf(chain, chain === current ? partial : null));
    found.push(...endOf(chain, chains));
  }
  return found;
}

function beginOf(chain: ChainCheck, chains: readonly ChainCheck[]): Finding[] {
  const { first } = chain;
  if (first === null || first.seal.seq === 0) return [];
  const to = placeOf(first.line);
  const facts = { to, chain: chain.chain, seals: { first: 0, last: first.seal.seq - 1 } };
  const isSound = chain === chains[0] || chains.some((other) => isParallel(other, chain));
  if (isSound) return [newFinding('older_files_absent', 'notice', facts)];
  const earlier = chains[chains.indexOf(chain) - 1]?.tip?.place ?? null;
  return [newFinding('chain_begin_missing', 'tampering', { ...facts, from: earlier })];
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
function endOf(chain: ChainCheck, chains: readonly ChainCheck[]): Finding[] {
  const { tip } = chain;
  if (tip === null || tip.seal.event === 'stopped' || chain.interval.count > 0) return [];
  const next = chains[chains.indexOf(chain) + 1];
  if (next?.first == null || chains.some((other) => other !== chain && isParallel(chain, other))) return [];
  const to = placeOf(next.first.line);
  return [newFinding('chain_end_open', 'gap', { from: tip.place, to, chain: chain.chain })];
}

/** Whether `other` begins while `chain` goes on: then they are of two gateways. */
function isParallel(chain: ChainCheck, other: ChainCheck): boolean {
  if (chain === other || chain.first === null || chain.tip === null || other.first === null) return false;
  const begin = other.first.seal.time;
  return chain.first.seal.time <= begin && begin < chain.tip.seal.time;
}
