/** Authorizes a client: a pure function of what is known of it and the policy, and the only place that makes a permit. */
import type { Certificate } from '../pki/certificate.ts';
import type { RevocationStatus } from '../revocation/judgement.ts';
import {
  type AuthorizationInput,
  checkClient,
  checkRevocation,
  type IdentityPolicy,
  type UnseenLeaf,
} from './client-checks.ts';
import type { ValidatedPath } from './path.ts';
import { deny, type Verdict } from './verdict.ts';

declare const authorized: unique symbol;

/** Proof that a client is authorized to send messages: relay/ requires it. */
export type ClientPermit = {
  readonly [authorized]: true;
  /** Of the snapshot under which it was given. */
  readonly generation: number;
  /** When the client must be authorized again, ms since the epoch: the path or its revocation evidence ends then. */
  readonly validUntil: number;
} & (CertifiedClient | UncertifiedClient);

export interface CertifiedClient {
  readonly anchor: string;
  readonly leaf: Certificate;
  /** The CA that signed the leaf. */
  readonly issuer: Certificate;
  /** The leaf, the intermediates, the root. */
  readonly path: ValidatedPath['certificates'];
  /** Never `revoked`; `unknown` only under revocation.onUnknown: allow. */
  readonly revocation: RevocationStatus;
}

/** Sent no certificate under clients.certificate: optional. Each of its messages must have a signature. */
export interface UncertifiedClient {
  readonly anchor: null;
  readonly leaf: null;
  readonly issuer: null;
  readonly path: null;
  readonly revocation: null;
}

const uncertified: UncertifiedClient = {
  anchor: null,
  leaf: null,
  issuer: null,
  path: null,
  revocation: null,
};

export interface AuthorizationResult {
  readonly verdict: Verdict<ClientPermit>;
  /** null: not checked, since another check failed before. */
  readonly revocation: { readonly anchor: string; readonly status: RevocationStatus } | null;
  /** null: no source has to be queried for the leaf. */
  readonly unseen: UnseenLeaf | null;
}

/** Runs on every connection, resumed ones too: a ticket proves who the client was, not that it is still authorized. */
export function authorizeClient(input: AuthorizationInput, policy: IdentityPolicy): AuthorizationResult {
  const first = checkClient(input, policy).next();
  if (!first.done) return { verdict: first.value, revocation: null, unseen: null };

  const path = first.value;
  if (path === null) return { verdict: deny('untrusted'), revocation: null, unseen: null };
  if (path === 'uncertified') {
    const permit = { generation: policy.generation, validUntil: Number.POSITIVE_INFINITY, ...uncertified };
    return { verdict: { allow: true, permit: permit as ClientPermit }, revocation: null, unseen: null };
  }
  const { anchor, certificates, notAfter } = path;
  const [leaf, issuer = leaf] = certificates;
  const { result, unseen, denial } = checkRevocation(path, { policy, now: input.now });
  const { status, until } = result;
  const revocation = { anchor, status };
  if (denial !== null) return { verdict: denial, revocation, unseen };
  const validUntil = Math.min(notAfter, until);
  const { generation } = policy;
  const permit = { generation, anchor, leaf, issuer, path: certificates, revocation: status, validUntil };
  return { verdict: { allow: true, permit: permit as ClientPermit }, revocation, unseen };
}
