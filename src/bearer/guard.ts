/** Judges the token of each message of a route. What is known of a token is remembered; concurrent messages share one check. */
import { hash } from 'node:crypto';
import type { Introspection } from '../jose/access-token.ts';
import type { CompiledKeySet } from '../jose/compiled-key-set.ts';
import { TokenCache } from '../jose/token-cache.ts';
import type { BearerRefusal } from '../message/message-reasons.ts';
import type { BearerVerdict, TokenFacts } from '../message/message-verdicts.ts';
import type { BearerPolicy, PolicyMode } from '../policy/snapshot.ts';
import { challengeOf } from './challenge.ts';
import { type JudgedToken, judgeClaims, judgeMessage } from './claims-judgement.ts';
import { isJwt, verifyToken } from './jwt-verification.ts';
import { isWellFormed, readToken } from './token-field.ts';

/** Tokens that are remembered, for each route and relay thread. */
const MAX_TOKENS = 4096;
/** Clients can present any number of tokens that are refused. */
const MAX_REFUSED = 1024;
/** How long a refused token is remembered, ms. */
const REFUSED_MS = 60_000;
/** The answer crosses two threads after `introspection.timeout`, ms. */
const BORDER_MS = 1000;
/** How long a verdict waits for the fetch of a key set, ms. */
const REFRESH_MS = 2000;
/** Checks under way on trial, for each route and relay thread: no message waits for them, so that nothing else limits them. */
const MAX_TRIALS = 256;

export interface BearerDependencies {
  /** The key set of the policy as it is now; null: none could be read yet, or the policy names none. */
  readonly keys: () => CompiledKeySet | null;
  /** Has the set fetched again; afterwards `keys` has the result. Settles within `limit` ms; null: too late. */
  readonly refreshKeys: (limit: number) => Promise<boolean | null>;
  /** Asks the authorization server. Settles within `limit` ms; null: too late. */
  readonly introspect: (token: string, limit: number) => Promise<Introspection | null>;
  readonly count: (verdict: 'allow' | BearerRefusal) => void;
}

/** What was found out about a token. `token`: null if nothing that it says was verified. */
type Finding = JudgedToken | { readonly refusal: BearerRefusal; readonly facts: TokenFacts | null };

export class BearerGuard {
  readonly policy: BearerPolicy;
  readonly #dependencies: BearerDependencies;
  readonly #accepted = new TokenCache<JudgedToken>(MAX_TOKENS);
  readonly #refused = new TokenCache<Finding>(MAX_REFUSED);
  readonly #pending = new Map<string, Promise<Finding>>();
  /** Checks under way: one for each token, however many messages have it. */
  #checking = 0;
  readonly #challenges = new Map<BearerRefusal, string>();
  /** The key set by which the cached tokens were verified. */
  #keys: CompiledKeySet | null;

  constructor(policy: BearerPolicy, dependencies: BearerDependencies) {
    this.policy = policy;
    this.#dependencies = dependencies;
    this.#keys = dependencies.keys();
  }

  get mode(): PolicyMode {
    return this.policy.mode;
  }

  /** The host does not get the Authorization field. */
  get strips(): boolean {
    return this.policy.pass === 'strip';
  }

  /**
   * At once for a token that is known, and on trial where too many others are being checked; else a promise that settles
   * within a bounded time and does not reject.
   */
  check(request: {
    /** `RequestHead.fields`. */
    readonly fields: string;
    readonly target: string;
    /** `x5t#S256` of the client's certificate; null: it has none. */
    readonly thumbprint: string | null;
    /** Milliseconds since the epoch. */
    readonly now: number;
  }): BearerVerdict | Promise<BearerVerdict> {
    const reading = readToken(request.fields, request.target);
    if ('refusal' in reading) return this.#refuse(reading.refusal, null);
    const { token } = reading;
    const digest = hash('sha256', token, 'base64');
    this.#forgetOtherKeys();
    const known = this.#accepted.get(digest, request.now) ?? this.#refused.get(digest, request.now);
    if (known !== undefined) return this.#conclude(known, request);
    if (!isWellFormed(token)) return this.#refuse('token_syntax', null);
    const isFull = this.#checking >= MAX_TRIALS && !this.#pending.has(digest);
    if (this.mode === 'shadow' && isFull) return this.#refuse('token_undecided', null);
    return this.#find(token, digest, request.now).then((finding) => this.#conclude(finding, request));
  }

  /** A token that was verified by a key that is no longer in the set must be verified again. */
  #forgetOtherKeys(): void {
    const keys = this.#dependencies.keys();
    if (keys === this.#keys) return;
    this.#keys = keys;
    this.#accepted.clear();
    this.#refused.clear();
    this.#pending.clear();
  }

  #find(token: string, digest: string, now: number): Promise<Finding> {
    const pending = this.#pending.get(digest);
    if (pending !== undefined) return pending;
    this.#checking += 1;
    const finding: Promise<Finding> = (
      isJwt(token, this.policy) ? this.#verify(token, digest, now) : this.#ask(token, digest, now)
    )
      .catch((): Finding => ({ refusal: 'token_undecided', facts: null }))
      .finally(() => {
        this.#checking -= 1;
        // With another key set a second check of the token may have begun.
        if (this.#pending.get(digest) === finding) this.#pending.delete(digest);
      });
    this.#pending.set(digest, finding);
    return finding;
  }

  async #verify(token: string, digest: string, now: number): Promise<Finding> {
    const { policy } = this;
    const { keys, refreshKeys } = this.#dependencies;
    const verification = await verifyToken(token, {
      policy,
      keys,
      refreshKeys: () => refreshKeys(REFRESH_MS),
    });
    const { usedKeys } = verification;
    if (verification.refusal !== null) {
      const finding = { refusal: verification.refusal, facts: null };
      // Whether a key is known, and a set readable, may be another at the next message.
      const isLasting = finding.refusal === 'token_signature' || finding.refusal === 'token_claims';
      if (isLasting) this.#remember(digest, finding, { now, until: now + REFUSED_MS, usedKeys });
      return finding;
    }
    const { claims, keyId } = verification;
    const { clientId, subject } = claims;
    const judged = judgeClaims(claims, { policy, facts: { clientId, subject, keyId, how: 'jwt' } });
    this.#remember(digest, judged, { now, until: claims.expires ?? now, usedKeys });
    return judged;
  }

  async #ask(token: string, digest: string, now: number): Promise<Finding> {
    const { policy } = this;
    const usedKeys = this.#dependencies.keys();
    const { introspection } = policy;
    if (introspection === null) return { refusal: 'token_malformed', facts: null };
    const answer = await this.#dependencies.introspect(token, introspection.timeout + BORDER_MS);
    if (answer === null || answer.status === 'failed') return { refusal: 'token_undecided', facts: null };
    const until = Math.min(answer.until, now + introspection.cache);
    if (answer.status === 'inactive') {
      const finding: Finding = { refusal: 'token_inactive', facts: null };
      this.#remember(digest, finding, { now, until, usedKeys });
      return finding;
    }
    const { clientId, subject } = answer.claims;
    const facts: TokenFacts = { clientId, subject, keyId: null, how: 'introspection' };
    const judged = judgeClaims(answer.claims, { policy, facts });
    this.#remember(digest, judged, { now, until, usedKeys });
    return judged;
  }

  #remember(
    digest: string,
    finding: Finding,
    when: { readonly now: number; readonly until: number; readonly usedKeys: CompiledKeySet | null },
  ): void {
    const { now, until, usedKeys } = when;
    // The set may have changed while the token was verified.
    if (usedKeys !== this.#keys || usedKeys !== this.#dependencies.keys()) return;
    if ('allowed' in finding && finding.refusal === null && finding.end > now)
      return this.#accepted.set(digest, { finding, since: now, until });
    // An expired token stays expired; a clock that is set back ends the entry.
    const isOver = 'allowed' in finding && finding.end <= now;
    const last = isOver ? now + REFUSED_MS : Math.min(until, now + REFUSED_MS);
    this.#refused.set(digest, { finding, since: now, until: last });
  }

  #conclude(
    finding: Finding,
    message: { readonly now: number; readonly thumbprint: string | null },
  ): BearerVerdict {
    if (!('allowed' in finding)) return this.#refuse(finding.refusal, finding.facts);
    const refusal = judgeMessage(finding, message);
    if (refusal !== null) return this.#refuse(refusal, finding.facts);
    this.#dependencies.count('allow');
    return finding.allowed;
  }

  #refuse(reason: BearerRefusal, token: TokenFacts | null): BearerVerdict {
    this.#dependencies.count(reason);
    let challenge = this.#challenges.get(reason);
    if (challenge === undefined) {
      challenge = challengeOf(reason, this.policy.scopes);
      this.#challenges.set(reason, challenge);
    }
    return { allow: false, reason, challenge, token };
  }
}
