/** The pause between two attempts: regular after a success, exponential backoff with jitter after failures. */
import { maxDelay } from './timers.ts';

const firstBackoff = 1000;

/**
 * Milliseconds until the next attempt. After a success: `refresh` minus up to 10 %. After failures: 1 s, doubled with
 * each failure in a row up to `refresh`, minus up to 50 %. The jitter spreads the requests of many gateways.
 * `random`: from 0 to below 1.
 */
export function pause(options: { failures: number; refresh: number; random: number }): number {
  const { failures, random } = options;
  const refresh = Math.min(options.refresh, maxDelay);
  if (failures === 0) return refresh * (1 - random / 10);
  return Math.min(refresh, firstBackoff * 2 ** (failures - 1)) * (1 - random / 2);
}
