/** Readiness: whether messages are relayed now, and if not, every reason. `/readyz` reports it. */
import { sourceOf } from '../config/files/key-sources.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { KeySetState } from '../keys/state.ts';
import { isUsable } from '../trust/skipped-certificates.ts';
import type { AnchorState } from '../trust/state.ts';

interface ReadinessFacts {
  readonly state: 'starting' | 'serving' | 'draining';
  /** Relay threads that accept connections. */
  readonly listening: number;
  /** Because of `audit.onFailure: refuse`. */
  readonly refusesMessages: boolean;
  readonly anchors: readonly AnchorState[];
  /** Of the configuration in use. */
  readonly config: Pick<LoadedConfig['config'], 'trust' | 'clients'>;
  readonly keySets: readonly Pick<KeySetState, 'source' | 'keys'>[];
  readonly serverCertificates: LoadedConfig['serverCertificates'];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export function readinessOf(facts: ReadinessFacts): { ready: boolean; reasons: string[] } {
  const { state, listening, refusesMessages, anchors, config, serverCertificates, now } = facts;
  const reasons: string[] = [];
  if (state !== 'serving') reasons.push(state);
  else if (listening === 0) reasons.push('no relay thread listens');
  if (refusesMessages) reasons.push('audit records cannot be written, and audit.onFailure is refuse');
  if (!hasUsableTrust(config, anchors, now)) reasons.push('no usable trust anchor');
  for (const source of unreadRegistrations(facts))
    reasons.push(`the keys of clients.registered were never read from ${source}`);
  if (serverCertificates.every(({ chain }) => now > (chain[0]?.notAfter ?? 0)))
    reasons.push('the server certificate has expired');
  return { ready: reasons.length === 0, reasons };
}

/** Whether the trust of the configuration can authorize a client: under `trust.mode: registered` it needs no anchor. */
export function hasUsableTrust(
  { trust }: Pick<LoadedConfig['config'], 'trust'>,
  anchors: readonly AnchorState[],
  now: number,
): boolean {
  return trust.mode === 'registered' || anchors.some((anchor) => isUsable(anchor, now));
}

/** The sets without which every client is denied (`registration_unknown`). */
function unreadRegistrations({ config, keySets }: ReadinessFacts): string[] {
  const { registered } = config.clients;
  if (registered?.mode !== 'enforce') return [];
  const needed = [registered.jwks, registered.inactive].flatMap((each) => each && sourceOf(each));
  return keySets
    .filter(({ source, keys }) => keys === null && needed.includes(source))
    .map(({ source }) => source);
}
