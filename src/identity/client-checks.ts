/** The checks of a client, in their order: source, certificate, path, OpenSSL's codes, pins, match, registration, revocation. */
import type { X509Certificate } from 'node:crypto';
import type { Certificate } from '../pki/certificate.ts';
import type { MatchRule } from '../policy/snapshot.ts';
import type { RevocationCheck, RevocationResult } from '../revocation/judgement.ts';
import { explainMismatch, matchesAny } from './match.ts';
import { classifyOpensslCode } from './openssl-codes.ts';
import type { ValidatedPath } from './path.ts';
import type { PathCache } from './path-cache.ts';
import { isPinned } from './pin.ts';
import type { Registrations } from './registration.ts';
import { type Denial, deny } from './verdict.ts';

/** What the checks decide by: the enforced policy or the shadow policy. */
export interface IdentityPolicy {
  readonly generation: number;
  /** `optional`: a client that sends none is only checked for its address. */
  readonly certificate: 'required' | 'optional';
  /** Base64 SHA-256 of SPKI; null: no pins. */
  readonly pins: ReadonlySet<string> | null;
  readonly match: readonly MatchRule[] | null;
  /** null: a client need not be registered. */
  readonly registered: Registrations | null;
  /** OpenSSL verifies with these anchors too; false without CA names, and for trust.candidates. */
  readonly opensslHasAnchors: boolean;
  /** Valid paths under these anchors; it only saves work and does not change a verdict. */
  readonly paths: PathCache;
  /** By anchor name, one for each anchor. */
  readonly revocation: ReadonlyMap<string, RevocationCheck>;
}

/** What is known of a client when it is checked. */
export interface AuthorizationInput {
  /** Whether the address is in the allowlist; false only under clients.refuseAt: http. */
  readonly source: { readonly allowed: boolean };
  readonly peer: {
    /** null: the client sent no certificate. */
    readonly leaf: X509Certificate | null;
    /** OpenSSL's verification error for the chain of the full handshake; null: none. */
    readonly opensslCode: string | null;
  };
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** A leaf that passed all other checks, and whose own revocation sources have not been queried yet. */
export interface UnseenLeaf {
  readonly anchor: string;
  readonly leaf: Certificate;
}

/**
 * Yields a denial for each failed check except revocation. Returns the path; null: there is none, a denial says why;
 * `uncertified`: the client sent no certificate, and none is required.
 */
export function* checkClient(
  { source, peer, now }: AuthorizationInput,
  { certificate, paths, opensslHasAnchors, pins, match, registered }: IdentityPolicy,
): Generator<Denial, ValidatedPath | 'uncertified' | null> {
  if (!source.allowed) yield deny('address_refused');
  if (peer.leaf === null) {
    if (certificate === 'optional') return 'uncertified';
    yield deny('no_certificate');
    return null;
  }
  const stranger = registered?.isAlone === true ? checkRegistered(peer.leaf, { registered, paths }) : null;
  if (stranger !== null) {
    yield stranger;
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
  if (opensslHasAnchors && code !== null && countsAgainst(path.permit, code))
    yield deny(
      'chain_refused',
      `OpenSSL rejects the chain with ${code}, the gateway’s own path validation passed`,
    );
  if (pins !== null && !isPinned(certificates, pins))
    yield deny(
      'pin_mismatch',
      `no key on the path is in clients.pins; the leaf’s pin is sha256/${leaf.spkiPin}`,
    );
  if (match !== null && !matchesAny(leaf, match)) yield deny('match_mismatch', explainMismatch(leaf, match));
  const unregistered = registered?.isAlone === false ? registered.check(leaf) : null;
  if (unregistered !== null) yield unregistered;
  return path.permit;
}

/** Before the path: the rest of a certificate that no CA signed is decoded only if it is registered. */
function checkRegistered(
  leaf: X509Certificate,
  { registered, paths }: { readonly registered: Registrations; readonly paths: PathCache },
): Denial | null {
  const reading = paths.leaves.read(leaf);
  return reading.ok ? registered.check(reading.certificate) : reading.denial;
}

/** False where OpenSSL may have verified another certificate with the name of a CA on the path. */
function countsAgainst({ hasNamesakes }: ValidatedPath, code: string): boolean {
  return classifyOpensslCode(code) === 'property' && !hasNamesakes;
}

export interface RevocationOutcome {
  readonly result: RevocationResult;
  /** null: no source has to be queried for the leaf. */
  readonly unseen: UnseenLeaf | null;
  readonly denial: Denial | null;
}

/** Comes last: revocation sources are queried only for clients that pass all other checks. */
export function checkRevocation(
  { anchor, certificates }: ValidatedPath,
  { policy, now }: { readonly policy: IdentityPolicy; readonly now: number },
): RevocationOutcome {
  const [leaf] = certificates;
  const check = policy.revocation.get(anchor);
  if (check === undefined) throw new TypeError(`the anchor ${anchor} has no revocation check`);
  const result = check.resultOf(certificates, now);
  const unseen = check.isFirstContact(leaf) ? { anchor, leaf } : null;
  return { result, unseen, denial: denialOf(result, check.policy.onUnknown) };
}

/** The one place that applies soft-fail (`onUnknown: allow`) or hard-fail. */
function denialOf({ status, detail }: RevocationResult, onUnknown: 'deny' | 'allow'): Denial | null {
  if (status === 'revoked') return deny('revoked', detail);
  return status === 'unknown' && onUnknown === 'deny' ? deny('revocation_unknown', detail) : null;
}
