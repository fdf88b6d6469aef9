/** Whether messages would be relayed now, and if not, everything that is missing: what /readyz tells. */
import type { LoadedConfig } from '../config/load.ts';
import { isUsable } from '../trust/skipped-certificates.ts';
import type { AnchorState } from '../trust/state.ts';

interface Standing {
  readonly state: 'starting' | 'serving' | 'draining';
  /** Relay threads that accept connections. */
  readonly listening: number;
  /** By `audit.onFailure: refuse`. */
  readonly refusesMessages: boolean;
  readonly anchors: readonly AnchorState[];
  readonly serverCertificates: LoadedConfig['serverCertificates'];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function readinessOf(standing: Standing): { ready: boolean; reasons: string[] } {
  const { state, listening, refusesMessages, anchors, serverCertificates, now } = standing;
  const reasons: string[] = [];
  if (state !== 'serving') reasons.push(state);
  else if (listening === 0) reasons.push('no relay thread listens');
  if (refusesMessages) reasons.push('audit records cannot be written, and audit.onFailure is refuse');
  if (!anchors.some((anchor) => isUsable(anchor, now))) reasons.push('no usable trust anchor');
  if (serverCertificates.every(({ chain }) => now > (chain[0]?.notAfter ?? 0)))
    reasons.push('the server certificate has expired');
  return { ready: reasons.length === 0, reasons };
}
