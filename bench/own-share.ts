/** The gateway's own share of a message's time, from the message records of its audit log: `total_ms` without `upstream_ms`. */
import { readFileSync, statSync } from 'node:fs';
import { quantile } from './figures.ts';
import type { Peer } from './peers/peer.ts';

/** Bytes that the peer's log has now; 0: it has none. */
export function logSize({ log }: Peer): number {
  return log === null ? 0 : statSync(log.file).size;
}

/** Milliseconds, one for each message record behind the first `from` bytes of the log. */
export function ownShares({ log }: Peer, from: number): number[] {
  if (log === null) return [];
  const lines = readFileSync(log.file).subarray(from).toString().split('\n');
  return lines
    .filter((line) => line.includes(log.message))
    .map((line) => {
      const { total_ms, upstream_ms } = JSON.parse(line);
      return total_ms - upstream_ms;
    });
}

export function formatShares(name: string, shares: readonly number[]): string {
  const parts = [0.5, 0.99, 0.999].map((part) => `p${part * 100} ${quantile(shares, part).toFixed(2)} ms`);
  return `${name}, its own share of ${shares.length} messages (total_ms − upstream_ms): ${parts.join(', ')}`;
}
