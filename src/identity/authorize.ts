/** The verdict on a caller, a pure function of what is known and the policy; the only place that makes a permit. */
import type { X509Certificate } from 'node:crypto';
import type { Certificate } from '../pki/certificate.ts';
import type { MatchRule } from '../policy/snapshot.ts';
import type { RevocationCheck, RevocationResult, RevocationStatus } from '../revocation/judgement.ts';
import { explainMismatch, matchesAny } from './match.ts';
import { meaningOf } from './openssl-codes.ts';
import type { ValidatedPath } from './path.ts';
import type { PathCache } from './path-cache.ts';
import { isPinned } from './pin.ts';
import { type Denial, deny, type Verdict } from './verdict.ts';

declare const judged: unique symbol;

/** Proof that a caller was judged and may send messages; the relay takes nothing else. */
export interface ClientPermit {
  readonly [judged]: true;
  /** Of the snapshot under which it was given. */
  readonly generation: number;
  readonly anchor: string;
  readonly leaf: Certificate;
  /** The CA that signed the leaf. */
  readonly issuer: Certificate;
  /** The leaf, the CAs between, the root. */
  readonly path: ValidatedPath['certificates'];
  /** Never `revoked`; `unknown` only where the anchor's policy lets it pass. */
  readonly revocation: RevocationStatus;
  /** When it must be judged again at the latest, ms since the epoch: something on the path ends then. */
  readonly validUntil: number;
}

export interface IdentityPolicy {
  readonly generation: number;
  /** Base64 SHA-256 of SPKI; null: no pins. */
  readonly pins: ReadonlySet<string> | null;
  readonly match: readonly MatchRule[] | null;
  /** OpenSSL verifies with these anchors too; without CA names, and for candidates, it has none of them. */
  readonly opensslHasAnchors: boolean;
  /** Remembers paths that passed under these anchors: the same answer as without it, sooner. */
  readonly paths: PathCache;
  /** By the name of the anchor: one for each. */
  readonly revocation: ReadonlyMap<string, RevocationCheck>;
}

export interface Claim {
  /** The source room's word; false only where the refusal is left to HTTP. */
  readonly source: { readonly allowed: boolean };
  readonly peer: {
    readonly leaf: X509Certificate | null;
    /** OpenSSL's objection to the chain at the full handshake; null: it had none. */
    readonly opensslCode: string | null;
  };
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A leaf that may come in but for its revocation, of which nobody has been told who could ask. */
export interface UnseenLeaf {
  readonly anchor: string;
  readonly leaf: Certificate;
}

export interface Judgement {
  readonly verdict: Verdict<ClientPermit>;
  /** What was told of revocations on the path; null: it was not asked, for something else spoke against the caller. */
  readonly revocation: { readonly anchor: string; readonly status: RevocationStatus } | null;
  /** null: nobody need be told of the leaf. */
  readonly unseen: UnseenLeaf | null;
}

/** Runs on every connection, resumed ones too: a ticket proves who the client was, not that it still may come in. */
export function authorizeClient(claim: Claim, policy: IdentityPolicy): Judgement {
  const first = controls(claim, policy).next();
  if (!first.done) return { verdict: first.value, revocation: null, unseen: null };

  const path = first.value;
  if (path === null) return { verdict: deny('untrusted'), revocation: null, unseen: null };
  const { anchor, certificates, notAfter } = path;
  const [leaf, issuer = leaf] = certificates;
  const { word, unseen, objection } = askRevocation(path, { policy, now: claim.now });
  const { status, until } = word;
  const revocation = { anchor, status };
  if (objection !== null) return { verdict: objection, revocation, unseen };
  const validUntil = Math.min(notAfter, until);
  const { generation } = policy;
  const permit = { generation, anchor, leaf, issuer, path: certificates, revocation: status, validUntil };
  return { verdict: { allow: true, permit: permit as ClientPermit }, revocation, unseen };
}

export interface Rehearsal {
  /** Where the path would have ended; null: there was none. */
  readonly anchor: string | null;
  /** Every reason against the caller, not only the first; what looks at the path is not asked without one. */
  readonly denials: readonly Denial[];
  readonly unseen: UnseenLeaf | null;
}

/** The same controls under a policy that nobody enforces: what would have become of the caller, and why. */
export function rehearse(claim: Claim, policy: IdentityPolicy): Rehearsal {
  const denials: Denial[] = [];
  const remaining = controls(claim, policy);
  let control = remaining.next();
  for (; !control.done; control = remaining.next()) denials.push(control.value);
  const path = control.value;
  if (path === null) return { anchor: null, denials, unseen: null };
  const { unseen, objection } = askRevocation(path, { policy, now: claim.now });
  if (objection !== null) denials.push(objection);
  return { anchor: path.anchor, denials, unseen };
}

/** Everything but revocation, in order. In the end the path; null: there is none, which was objected to. */
function* controls(
  { source, peer, now }: Claim,
  { paths, opensslHasAnchors, pins, match }: IdentityPolicy,
): Generator<Denial, ValidatedPath | null> {
  if (!source.allowed) yield deny('address_refused');
  if (peer.leaf === null) {
    yield deny('no_certificate');
    return null;
  }
  const path = paths.validate(peer.leaf, now);
  if (!path.allow) {
    yield path;
    return null;
  }
  const { certificates } = path.permit;
  const [leaf] = certificates;
  const { opensslCode: code } = peer;
  if (opensslHasAnchors && code !== null && isObjection(code, path.permit))
    yield deny('chain_refused', `OpenSSL refuses the chain with ${code}, the gateway’s own path passed`);
  if (pins !== null && !isPinned(certificates, pins))
    yield deny('pin_mismatch', `no key on the path is pinned; the leaf’s is sha256/${leaf.spkiPin}`);
  if (match !== null && !matchesAny(leaf, match)) yield deny('match_mismatch', explainMismatch(leaf, match));
  return path.permit;
}

/** Whether the code is about this path: among certificates of one name OpenSSL takes one and may refuse that. */
function isObjection(code: string, { hasNamesakes }: ValidatedPath): boolean {
  return meaningOf(code) === 'property' && !hasNamesakes;
}

/** Asked last, of callers that nothing else speaks against: for nobody else is anything to be fetched. */
function askRevocation(
  { anchor, certificates }: ValidatedPath,
  { policy, now }: { readonly policy: IdentityPolicy; readonly now: number },
): { word: RevocationResult; unseen: UnseenLeaf | null; objection: Denial | null } {
  const [leaf] = certificates;
  const check = policy.revocation.get(anchor);
  if (check === undefined) throw new TypeError(`nothing says how the anchor ${anchor} checks revocation`);
  const word = check.word(certificates, now);
  const unseen = check.isUnseen(leaf) ? { anchor, leaf } : null;
  return { word, unseen, objection: objectionTo(word, check.policy.onUnknown) };
}

function objectionTo({ status, detail }: RevocationResult, onUnknown: 'deny' | 'allow'): Denial | null {
  if (status === 'revoked') return deny('revoked', detail);
  return status === 'unknown' && onUnknown === 'deny' ? deny('revocation_unknown', detail) : null;
}
