/** When a revocation source is asked again: every refresh, and ahead of the end of what it said before. */
import { pause } from '../fetch/backoff.ts';

/** A source is not asked more often than this for its CRL's end being near, ms. */
const floor = 10_000;

export interface Turn {
  /** Attempts in a row that failed; an answer that has already ended counts as one. */
  readonly failures: number;
  /** Milliseconds between two that succeed. */
  readonly refresh: number;
  /** When what is in use ends, ms since the epoch; null: never. */
  readonly end: number | null;
  readonly now: number;
  /** From 0 to below 1. */
  readonly random: number;
}

/** Milliseconds until a CRL is fetched again: when 80 to 95 % of the time it has left is over, or sooner. */
export function crlPause(turn: Turn): number {
  return ahead(turn, 0.95 - 0.15 * turn.random);
}

/** Milliseconds until OCSP is asked again: at the latest when half of the time that the answer has left is over. */
export function ocspPause(turn: Turn): number {
  return ahead(turn, 0.5 - 0.05 * turn.random);
}

function ahead({ failures, refresh, end, now, random }: Turn, share: number): number {
  const regular = pause({ failures, refresh, random });
  if (failures > 0 || end === null) return regular;
  return Math.min(regular, Math.max(floor, (end - now) * share));
}
