/** Compiles a policy snapshot into what the relay thread uses: parsed, indexed, with the caches of unchanged parts kept. */

import type { IdentityPolicy } from '../identity/client-checks.ts';
import { LeafReader } from '../identity/leaf-reader.ts';
import { PathCache } from '../identity/path-cache.ts';
import { noRevocation, Registrations, registeredAnchor } from '../identity/registration.ts';
import { parseCertificate } from '../pki/certificate.ts';
import type { Ask } from '../policy/question.ts';
import type { AnchorMaterial, PolicySnapshot } from '../policy/snapshot.ts';
import { compileIdentityFields, compileRequestFields } from '../relay/compiled-header-sets.ts';
import type { RelayPolicy } from '../relay/relay-policy.ts';
import { RouteTable } from '../relay/route-table.ts';
import { RevocationCheck } from '../revocation/judgement.ts';
import type { Meter } from '../telemetry/meter.ts';
import { Tracer } from '../tracing/tracer.ts';
import type { Pools } from '../upstream/pools.ts';
import type { Upstream } from '../upstream/route-endpoints.ts';
import { type AdmissionPolicy, compileAdmissionPolicy } from './admission.ts';
import { RouteGuards } from './route-guards.ts';

/** Immutable: a new snapshot replaces all of it at once. */
export interface CompiledPolicy {
  readonly snapshot: PolicySnapshot;
  readonly admission: AdmissionPolicy;
  readonly identity: IdentityPolicy;
  /** The policy under `shadow`, which is evaluated and recorded but not enforced; null: none. */
  readonly shadow: { readonly admission: AdmissionPolicy; readonly identity: IdentityPolicy } | null;
  readonly relay: RelayPolicy;
  /** Shared by all policies of a relay thread. */
  readonly guards: RouteGuards;
}

interface CompileOptions {
  readonly pools: Pools;
  /** Supplies the message counters of the routes. */
  readonly meter: Meter;
  /** Asks the control thread. */
  readonly ask: Ask;
  /** The policy in use until now; null at the start. */
  readonly last: CompiledPolicy | null;
}

export function compilePolicy(
  snapshot: PolicySnapshot,
  { pools, meter, ask, last }: CompileOptions,
): CompiledPolicy {
  const { anchors, pins, match, registered, limits, timeouts, shadow, tracing, keySets } = snapshot;
  const upstreams = pools.update(snapshot);
  const guards = last?.guards ?? new RouteGuards({ ask, meter });
  const guardsOfRoutes = guards.update(snapshot);
  const leaves = leavesOf(limits.certificateBytes, last?.identity.paths.leaves ?? null);
  const registrations = registered && new Registrations(registered, keySets);
  const compile = (options: IdentityOptions) => compileIdentity(options, { leaves, snapshot });
  return {
    snapshot,
    guards,
    admission: compileAdmissionPolicy(snapshot),
    identity: compile({
      anchors,
      pins,
      match,
      registered: registered?.mode === 'enforce' ? registrations : null,
      opensslHasAnchors: snapshot.advertiseCaNames,
      last: last?.identity ?? null,
    }),
    shadow: shadow && {
      admission: compileAdmissionPolicy({ ...snapshot, allowlist: shadow.allowlist ?? snapshot.allowlist }),
      identity: compile({
        anchors: shadow.anchors ?? anchors,
        pins: shadow.pins ?? pins,
        match: shadow.match ?? match,
        registered: registrations,
        // The names of shadow anchors are never sent to clients.
        opensslHasAnchors: snapshot.advertiseCaNames && shadow.anchors === undefined,
        last: last?.shadow?.identity ?? null,
      }),
    },
    relay: {
      routes: new RouteTable(
        snapshot.routes.map((policy, index) => {
          const upstream = upstreams[index] as Upstream;
          return {
            policy,
            upstream,
            guards: guardsOfRoutes[index] ?? null,
            meter: meter.route(policy.path),
          };
        }),
      ),
      identityFields: compileIdentityFields(snapshot, last?.relay.identityFields ?? null),
      requestFields: compileRequestFields(snapshot, last?.relay.requestFields ?? null),
      limits,
      timeouts,
      tracer: tracing && new Tracer(tracing),
    },
  };
}

type IdentityOptions = Pick<PolicySnapshot, 'anchors' | 'pins' | 'match'> &
  Pick<IdentityPolicy, 'registered' | 'opensslHasAnchors'> & { readonly last: IdentityPolicy | null };

function compileIdentity(
  options: IdentityOptions,
  { leaves, snapshot }: { readonly leaves: LeafReader; readonly snapshot: PolicySnapshot },
): IdentityPolicy {
  const { anchors, pins, match, registered, opensslHasAnchors, last } = options;
  const paths =
    registered?.isAlone === true
      ? pathsAlone(leaves, last?.paths ?? null)
      : pathsOf(anchors, leaves, last?.paths ?? null);
  return {
    generation: snapshot.generation,
    certificate: snapshot.clientCertificate,
    pins: pins === null ? null : new Set(pins),
    match,
    registered,
    opensslHasAnchors,
    paths,
    revocation: new Map([
      ...(paths.isAlone ? [[registeredAnchor, new RevocationCheck(noRevocation, [])] as const] : []),
      ...paths.anchors.map(({ name, certificates }, index) => {
        const { revocation } = anchors[index] as AnchorMaterial;
        return [name, new RevocationCheck(revocation, certificates)] as const;
      }),
    ]),
  };
}

/**
 * Paths depend on the anchors alone. While these are unchanged, known paths are kept and no anchor is parsed again: that
 * is most of the work of a new snapshot, and messages wait for it.
 */
function pathsOf(anchors: readonly AnchorMaterial[], leaves: LeafReader, last: PathCache | null): PathCache {
  const ders = anchors.map(({ name, root, issuing }) => ({ name, certificates: [root, ...issuing] }));
  if (last?.leaves === leaves && !last.isAlone && last.isOf(ders)) return last;
  return new PathCache(
    ders.map(({ name, certificates }) => ({ name, certificates: certificates.map(parseCertificate) })),
    leaves,
  );
}

function pathsAlone(leaves: LeafReader, last: PathCache | null): PathCache {
  return last?.leaves === leaves && last.isAlone ? last : new PathCache([], leaves, { isAlone: true });
}

/** Shared by the enforced and the shadow policy, so that each certificate is parsed once. */
function leavesOf(maxBytes: number, last: LeafReader | null): LeafReader {
  return last?.maxBytes === maxBytes ? last : new LeafReader(maxBytes);
}
