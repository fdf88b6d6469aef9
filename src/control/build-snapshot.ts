/** Builds the snapshot from the configuration and the anchors that are usable now; ticket keys hang on the time too. */
import type { LoadedConfig } from '../config/load.ts';
import type { Limits, PolicySnapshot } from '../policy/snapshot.ts';
import type { RevocationAnchor, RevocationMaterial } from '../revocation/state.ts';
import type { AnchorState } from '../trust/state.ts';
import { materialOf } from '../trust/trust-anchor.ts';

/** Those that have certificates to judge by, in the order of the configuration. */
export interface UsableAnchors {
  readonly anchors: readonly AnchorState[];
  /** null: there are none to rehearse. */
  readonly candidates: readonly AnchorState[] | null;
}

interface SnapshotOptions extends UsableAnchors {
  readonly generation: number;
  readonly revocation: (anchor: string) => RevocationMaterial;
}

/** Anchors and candidates may have names in common; a slash is in neither. */
export function candidateName(name: string): string {
  return `candidates/${name}`;
}

/** Of `some` those that are among `others` by their names. */
export function commonAnchors(some: UsableAnchors, others: UsableAnchors): UsableAnchors {
  const common = (list: readonly AnchorState[], among: readonly AnchorState[]) =>
    list.filter(({ name }) => among.some((other) => other.name === name));
  return {
    anchors: common(some.anchors, others.anchors),
    candidates: some.candidates && others.candidates && common(some.candidates, others.candidates),
  };
}

/** Whose revocation has to be looked after, each by its own policy. */
export function revocationSubjects(
  { anchors, candidates = [] }: LoadedConfig['config']['trust'],
  usable: UsableAnchors,
): RevocationAnchor[] {
  const subjects = (configured: typeof anchors, states: readonly AnchorState[], nameOf = candidateName) =>
    configured.flatMap(({ name, revocation: policy }) => {
      const state = states.find((each) => each.name === name);
      return state ? [{ name: nameOf(name), certificates: state.certificates, policy }] : [];
    });
  return [
    ...subjects(anchors, usable.anchors, (name) => name),
    ...subjects(candidates, usable.candidates ?? []),
  ];
}

export function buildSnapshot(
  { config, serverCertificates, routes }: LoadedConfig,
  { generation, anchors, candidates, revocation }: SnapshotOptions,
): Omit<PolicySnapshot, 'ticketKeys'> {
  const { listen, clients, identity, limits, timeouts, tracing } = config;
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
    identityHeaders: { sets: identity.headers, chain: identity.chain, remove: identity.remove },
    limits: withShares(limits),
    timeouts,
    tracing: tracing && { sampleRatio: tracing.sampleRatio },
  };
}

/** Beneath this a share would refuse a caller whose connections overlap for a moment. */
const MIN_SHARE = 16;

/**
 * One address gets a part of what there is, so that it cannot use up the rest: of the handshakes more than of the
 * connections, because an honest caller begins many of them at the same time after an interruption.
 */
function withShares(limits: LoadedConfig['config']['limits']): Limits {
  const { connections, unfinishedHandshakes } = limits;
  return {
    connectionsPerAddress: Math.max(MIN_SHARE, Math.ceil(connections / 4)),
    unfinishedHandshakesPerAddress: Math.max(MIN_SHARE, Math.ceil(unfinishedHandshakes / 2)),
    ...limits,
  };
}
