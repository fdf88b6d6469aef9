/** Makes a snapshot ready for use in a relay thread: parsed, indexed, and with what an unchanged part had learnt. */

import type { IdentityPolicy } from '../identity/client-checks.ts';
import { LeafReader } from '../identity/leaf-reader.ts';
import { PathCache } from '../identity/path-cache.ts';
import { parseCertificate } from '../pki/certificate.ts';
import type { AnchorMaterial, PolicySnapshot } from '../policy/snapshot.ts';
import type { RelayPolicy } from '../relay/downstream.ts';
import { compileIdentityFields, compileRequestFields } from '../relay/identity-fields.ts';
import { RouteTable } from '../relay/route.ts';
import { RevocationCheck } from '../revocation/judgement.ts';
import type { Meter } from '../telemetry/meter.ts';
import { Tracer } from '../tracing/tracer.ts';
import type { Pools } from '../upstream/pools.ts';
import type { Upstream } from '../upstream/upstream.ts';
import { type Admission, compileAdmission } from './admission.ts';

/** Swapped as one reference. */
export interface Policy {
  readonly snapshot: PolicySnapshot;
  readonly admission: Admission;
  readonly identity: IdentityPolicy;
  /** Rehearsed beside it; null: nothing is. */
  readonly shadow: { readonly admission: Admission; readonly identity: IdentityPolicy } | null;
  readonly relay: RelayPolicy;
}

interface CompileOptions {
  readonly pools: Pools;
  /** Counts the messages of each route. */
  readonly meter: Meter;
  /** The policy in use until now; null at the start. */
  readonly last: Policy | null;
}

export function compilePolicy(snapshot: PolicySnapshot, { pools, meter, last }: CompileOptions): Policy {
  const { anchors, pins, match, limits, timeouts, shadow, tracing } = snapshot;
  const upstreams = pools.update(snapshot);
  const leaves = leavesOf(limits.certificateBytes, last?.identity.paths.leaves ?? null);
  const judge = (options: IdentityOptions) =>
    compileIdentity(options, { leaves, generation: snapshot.generation });
  return {
    snapshot,
    admission: compileAdmission(snapshot),
    identity: judge({
      anchors,
      pins,
      match,
      opensslHasAnchors: snapshot.advertiseCaNames,
      last: last?.identity ?? null,
    }),
    shadow: shadow && {
      admission: compileAdmission({ ...snapshot, allowlist: shadow.allowlist ?? snapshot.allowlist }),
      identity: judge({
        anchors: shadow.anchors ?? anchors,
        pins: shadow.pins ?? pins,
        match: shadow.match ?? match,
        // Candidates are never among the CA names.
        opensslHasAnchors: snapshot.advertiseCaNames && shadow.anchors === undefined,
        last: last?.shadow?.identity ?? null,
      }),
    },
    relay: {
      routes: new RouteTable(
        snapshot.routes.map((policy, index) => {
          return { policy, upstream: upstreams[index] as Upstream, meter: meter.route(policy.path) };
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
  Pick<IdentityPolicy, 'opensslHasAnchors'> & { readonly last: IdentityPolicy | null };

function compileIdentity(
  options: IdentityOptions,
  { leaves, generation }: { readonly leaves: LeafReader; readonly generation: number },
): IdentityPolicy {
  const { anchors, pins, match, opensslHasAnchors, last } = options;
  const paths = pathsOf(anchors, leaves, last?.paths ?? null);
  return {
    generation,
    pins: pins === null ? null : new Set(pins),
    match,
    opensslHasAnchors,
    paths,
    revocation: new Map(
      paths.anchors.map(({ name, certificates }, index) => {
        const { revocation } = anchors[index] as AnchorMaterial;
        return [name, new RevocationCheck(revocation, certificates)];
      }),
    ),
  };
}

/**
 * Paths depend on the anchors alone: while those stay, a known leaf's is not validated anew for each new CRL, and no
 * anchor is read anew, for that is most of the work and messages wait for it.
 */
function pathsOf(anchors: readonly AnchorMaterial[], leaves: LeafReader, last: PathCache | null): PathCache {
  const ders = anchors.map(({ name, root, issuing }) => ({ name, certificates: [root, ...issuing] }));
  if (last?.leaves === leaves && last.isOf(ders)) return last;
  return new PathCache(
    ders.map(({ name, certificates }) => ({ name, certificates: certificates.map(parseCertificate) })),
    leaves,
  );
}

/** One for what is enforced and what is rehearsed, so that each certificate is read once. */
function leavesOf(maxBytes: number, last: LeafReader | null): LeafReader {
  return last?.maxBytes === maxBytes ? last : new LeafReader(maxBytes);
}
