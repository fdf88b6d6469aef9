/** Builds the policy snapshot, without ticket keys, from the configuration and the anchors that have certificates. */
import { withAddressLimits } from '../config/address-limits.ts';
import { sourceOf } from '../config/files/key-sources.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { KeySetMaterial, PolicySnapshot, RegisteredPolicy, ReplayMemories } from '../policy/snapshot.ts';
import type { RevocationAnchor, RevocationMaterial } from '../revocation/state.ts';
import type { AnchorState } from '../trust/state.ts';
import { materialOf } from '../trust/trust-anchor.ts';

/** The anchors that have certificates, in the order of the configuration. */
export interface UsableAnchors {
  readonly anchors: readonly AnchorState[];
  /** null: `trust.candidates` is not configured. */
  readonly candidates: readonly AnchorState[] | null;
}

interface SnapshotOptions extends UsableAnchors {
  readonly generation: number;
  readonly revocation: (anchor: string) => RevocationMaterial;
  readonly keySets: readonly KeySetMaterial[];
  readonly replayMemories: ReplayMemories;
}

/** Anchors and candidates may have the same name. No name contains a slash. */
export function candidateName(name: string): string {
  return `candidates/${name}`;
}

/** The anchors of `some` whose names are also in `others`. */
export function commonAnchors(some: UsableAnchors, others: UsableAnchors): UsableAnchors {
  const common = (list: readonly AnchorState[], among: readonly AnchorState[]) =>
    list.filter(({ name }) => among.some((other) => other.name === name));
  return {
    anchors: common(some.anchors, others.anchors),
    candidates: some.candidates && others.candidates && common(some.candidates, others.candidates),
  };
}

/** The anchors whose revocation data must be fetched, each with its own policy. */
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
  { generation, anchors, candidates, revocation, keySets, replayMemories }: SnapshotOptions,
): Omit<PolicySnapshot, 'ticketKeys'> {
  const { listen, clients, identity, limits, timeouts, tracing } = config;
  const material = (anchor: AnchorState, name = anchor.name) => {
    return { ...materialOf(anchor), name, revocation: revocation(name) };
  };
  const shadowAnchors = candidates && {
    anchors: candidates.map((anchor) => material(anchor, candidateName(anchor.name))),
  };
  const registered = registeredOf(config);
  const isShadowed = shadowAnchors || clients.shadow || registered?.mode === 'shadow';
  return {
    generation,
    certificates: serverCertificates.map(({ certificate }) => certificate),
    anchors: anchors.map((anchor) => material(anchor)),
    // Without anchors there are no names, and OpenSSL has nothing to verify a client with.
    advertiseCaNames: listen.advertiseCaNames && registered?.alone !== true,
    rejectWith: listen.rejectWith,
    proxyTrusted: listen.proxyProtocol.trusted,
    allowlist: clients.allowlist ?? null,
    refuseAt: clients.refuseAt,
    pins: clients.pins ?? null,
    match: clients.match ?? null,
    registered,
    keySets,
    replayMemories,
    clientCertificate: clients.certificate,
    shadow: isShadowed ? { ...shadowAnchors, ...clients.shadow } : null,
    routes,
    identityHeaders: { sets: identity.headers, chain: identity.chain, remove: identity.remove },
    limits: withAddressLimits(limits),
    timeouts,
    tracing: tracing && { sampleRatio: tracing.sampleRatio },
  };
}

export function registeredOf({
  clients,
  trust,
}: Pick<LoadedConfig['config'], 'clients' | 'trust'>): RegisteredPolicy | null {
  if (clients.registered === undefined) return null;
  const { jwks, inactive, compare, mode } = clients.registered;
  return {
    ...{ keys: sourceOf(jwks), inactive: inactive === undefined ? null : sourceOf(inactive), compare, mode },
    alone: trust.mode === 'registered',
  };
}
