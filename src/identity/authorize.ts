/** The verdict on a caller, a pure function of what is known and the policy; the only place that makes a permit. */
import type { X509Certificate } from 'node:crypto';
import type { Certificate } from '../pki/certificate.ts';
import type { MatchRule } from '../policy/snapshot.ts';
import { matchesAny } from './match.ts';
import type { PathCache } from './path-cache.ts';
import { isPinned } from './pin.ts';
import { deny, type Verdict } from './verdict.ts';

declare const judged: unique symbol;

/** Proof that a caller was judged and may send messages; the relay takes nothing else. */
export interface ClientPermit {
  readonly [judged]: true;
  /** Of the snapshot under which it was given. */
  readonly generation: number;
  readonly anchor: string;
  readonly leaf: Certificate;
}

export interface IdentityPolicy {
  readonly generation: number;
  /** Base64 SHA-256 of SPKI; null: no pins. */
  readonly pins: ReadonlySet<string> | null;
  readonly match: readonly MatchRule[] | null;
  /** OpenSSL had the anchors too, so on a full handshake it must agree; without CA names it had none. */
  readonly opensslMustAgree: boolean;
  /** Remembers paths that passed under this policy: the same answer as without it, sooner. */
  readonly paths: PathCache;
}

interface Claim {
  /** The source room's word; false only where the refusal is left to HTTP. */
  readonly source: { readonly allowed: boolean };
  readonly peer: {
    readonly leaf: X509Certificate | null;
    readonly authorized: boolean;
    readonly resumed: boolean;
  };
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Runs on every connection, resumed ones too: a ticket proves who the client was, not that it still may come in. */
export function authorizeClient({ source, peer, now }: Claim, policy: IdentityPolicy): Verdict<ClientPermit> {
  if (!source.allowed) return deny('address_refused');
  if (peer.leaf === null) return deny('no_certificate');

  const path = policy.paths.validate(peer.leaf, now);
  if (!path.allow) return path;
  const { certificates, anchor } = path.permit;
  const [leaf] = certificates;
  if (policy.opensslMustAgree && !peer.resumed && !peer.authorized) return deny('chain_refused');

  if (policy.pins !== null && !isPinned(certificates, policy.pins))
    return deny('pin_mismatch', `no key on the path is pinned; the leaf’s is sha256/${leaf.spkiPin}`);
  if (policy.match !== null && !matchesAny(leaf, policy.match)) return deny('match_mismatch');

  const permit = { generation: policy.generation, anchor, leaf };
  return { allow: true, permit: permit as ClientPermit };
}
