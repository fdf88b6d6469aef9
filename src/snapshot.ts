/** Builds the whole snapshot from the configuration and the anchors that are usable now. */
import type { LoadedConfig } from './config/load.ts';
import type { PolicySnapshot } from './policy/snapshot.ts';
import { materialOf } from './trust/bundle.ts';
import type { AnchorState } from './trust/state.ts';

interface SnapshotOptions {
  readonly generation: number;
  readonly anchors: readonly AnchorState[];
}

export function buildSnapshot(
  { config, serverCertificates, routes }: LoadedConfig,
  { generation, anchors }: SnapshotOptions,
): PolicySnapshot {
  const { listen, clients, limits, timeouts } = config;
  return {
    generation,
    certificates: serverCertificates.map(({ certificate }) => certificate),
    anchors: anchors.map(materialOf),
    advertiseCaNames: listen.advertiseCaNames,
    rejectWith: listen.rejectWith,
    proxyTrusted: listen.proxyProtocol.trusted,
    allowlist: clients.allowlist ?? null,
    refuseAt: clients.refuseAt,
    pins: clients.pins ?? null,
    match: clients.match ?? null,
    routes,
    limits,
    timeouts,
  };
}
