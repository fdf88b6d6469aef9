/** Builds the snapshot from the configuration and the anchors that are usable now; ticket keys hang on the time too. */
import type { LoadedConfig } from './config/load.ts';
import type { PolicySnapshot } from './policy/snapshot.ts';
import type { RevocationMaterial } from './revocation/state.ts';
import { materialOf } from './trust/bundle.ts';
import type { AnchorState } from './trust/state.ts';

interface SnapshotOptions {
  readonly generation: number;
  readonly anchors: readonly AnchorState[];
  /** In the order of the configuration, those that are usable; null: there are none to rehearse. */
  readonly candidates: readonly AnchorState[] | null;
  readonly revocation: (anchor: string) => RevocationMaterial;
}

/** Anchors and candidates may have names in common; a slash is in neither. */
export function candidateName(name: string): string {
  return `candidates/${name}`;
}

export function buildSnapshot(
  { config, serverCertificates, routes }: LoadedConfig,
  { generation, anchors, candidates, revocation }: SnapshotOptions,
): Omit<PolicySnapshot, 'ticketKeys'> {
  const { listen, clients, identity, limits, timeouts } = config;
  const material = (anchor: AnchorState, name = anchor.name) => {
    return { ...materialOf(anchor), name, revocation: revocation(name) };
  };
  const rehearsed = candidates && {
    anchors: candidates.map((anchor) => material(anchor, candidateName(anchor.name))),
  };
  return {
    generation,
    certificates: serverCertificates.map(({ certificate }) => certificate),
    anchors: anchors.map((anchor) => material(anchor)),
    advertiseCaNames: listen.advertiseCaNames,
    rejectWith: listen.rejectWith,
    proxyTrusted: listen.proxyProtocol.trusted,
    allowlist: clients.allowlist ?? null,
    refuseAt: clients.refuseAt,
    pins: clients.pins ?? null,
    match: clients.match ?? null,
    shadow: rehearsed || clients.shadow ? { ...rehearsed, ...clients.shadow } : null,
    routes,
    identityHeaders: { sets: identity.headers, chain: identity.chain },
    limits,
    timeouts,
  };
}
