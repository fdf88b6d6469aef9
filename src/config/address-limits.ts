/** The limits for one address where the configuration does not set them: its share of the total. */
import type { Limits } from '../policy/snapshot.ts';
import type { LoadedConfig } from './load.ts';

/** A smaller share would refuse a client whose connections overlap for a moment. */
const MIN_SHARE = 16;

/**
 * Limits one address to a share of the total, so that it cannot use up everything. The share of handshakes is larger
 * than that of connections, because a legitimate client starts many at the same time after an interruption.
 */
export function withAddressLimits(limits: LoadedConfig['config']['limits']): Limits {
  const { connections, unfinishedHandshakes } = limits;
  return {
    connectionsPerAddress: Math.max(MIN_SHARE, Math.ceil(connections / 4)),
    unfinishedHandshakesPerAddress: Math.max(MIN_SHARE, Math.ceil(unfinishedHandshakes / 2)),
    ...limits,
  };
}
