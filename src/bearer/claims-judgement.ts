/** Judges the claims of a verified token: against the policy of the route, the clock, and the client's certificate. Pure. */
import { timingSafeEqual } from 'node:crypto';
import type { AccessTokenClaims } from '../jose/access-token.ts';
import type { BearerRefusal } from '../message/message-reasons.ts';
import type { BearerVerdict, TokenFacts } from '../message/message-verdicts.ts';
import type { BearerPolicy } from '../policy/snapshot.ts';

/** What a token is judged by that does not change from message to message. */
export type ClaimsPolicy = Pick<
  BearerPolicy,
  'issuer' | 'audience' | 'scopes' | 'clockSkew' | 'requireBinding'
>;

/** A token whose signature, or whose server, was believed, with as much of its verdict as holds for every message. */
export interface JudgedToken {
  readonly facts: TokenFacts;
  /** The verdict if the remaining conditions hold. */
  readonly allowed: BearerVerdict & { readonly allow: true };
  /** Refuses every message; null: none does. */
  readonly refusal: BearerRefusal | null;
  /** It is not yet authorized for the route, though it may be valid otherwise. */
  readonly lacksScope: boolean;
  /** Milliseconds since the epoch, the clock skew included; valid from `start` on and before `end`. */
  readonly start: number;
  readonly end: number;
  /** The text of the `x5t#S256` that the client's certificate must have; null: any client may present the token. */
  readonly thumbprint: Buffer | null;
}

/** `facts.how`: a JWT must state its issuer and its end itself (RFC 9068 §2.2), an answer of the server need not (RFC 7662 §2.2). */
export function judgeClaims(
  claims: AccessTokenClaims,
  { facts, policy }: { readonly facts: TokenFacts; readonly policy: ClaimsPolicy },
): JudgedToken {
  const { scopes, expires, notBefore, issuedAt } = claims;
  const thumbprint = claims.confirmation?.thumbprint ?? null;
  return {
    facts,
    allowed: { allow: true, token: facts },
    refusal: findRefusal(claims, { isJwt: facts.how === 'jwt', policy }),
    lacksScope: policy.scopes.some((scope) => !scopes.includes(scope)),
    start: Math.max(notBefore ?? 0, issuedAt ?? 0) - policy.clockSkew,
    end: (expires ?? Number.POSITIVE_INFINITY) + policy.clockSkew,
    thumbprint: thumbprint === null ? null : Buffer.from(thumbprint),
  };
}

function findRefusal(
  { issuer, audience, expires, confirmation }: AccessTokenClaims,
  { isJwt, policy }: { readonly isJwt: boolean; readonly policy: ClaimsPolicy },
): BearerRefusal | null {
  if (isJwt && (issuer === null || expires === null)) return 'token_claims';
  if (issuer !== null && issuer !== policy.issuer) return 'token_issuer';
  // An empty policy accepts any audience.
  const isMeant = policy.audience.length === 0 || policy.audience.some((each) => audience.includes(each));
  if (!isMeant) return 'token_audience';
  // A token that is bound to something else than a certificate, such as a DPoP key (RFC 9449 §6), is no bearer token either.
  const isUnbound = confirmation === null ? policy.requireBinding : confirmation.thumbprint === null;
  return isUnbound ? 'token_unbound' : null;
}

interface Message {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** `x5t#S256` of the client's certificate; null: it has none. */
  readonly thumbprint: string | null;
}

/** null: the message may pass. What concerns the scope comes last: only a client with a valid token learns of it. */
export function judgeMessage(token: JudgedToken, { now, thumbprint }: Message): BearerRefusal | null {
  if (token.refusal !== null) return token.refusal;
  if (now >= token.end) return 'token_expired';
  if (now < token.start) return 'token_not_yet_valid';
  if (token.thumbprint !== null && !isSame(token.thumbprint, thumbprint)) return 'token_binding';
  return token.lacksScope ? 'token_scope' : null;
}

/** In a time that does not depend on where two thumbprints differ. */
function isSame(wanted: Buffer, presented: string | null): boolean {
  if (presented === null) return false;
  const bytes = Buffer.from(presented);
  return bytes.length === wanted.length && timingSafeEqual(bytes, wanted);
}
