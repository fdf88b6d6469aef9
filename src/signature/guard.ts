/** Judges the signatures of the bodies of one route. Remembers accepted contents where the policy refuses replays. */
import { createHash } from 'node:crypto';
import type { CompiledKeySet } from '../jose/compiled-key-set.ts';
import type { SignatureRefusal } from '../message/message-reasons.ts';
import type { SignatureDenial, SignatureVerdict } from '../message/message-verdicts.ts';
import type { PolicyMode, SignaturePolicy } from '../policy/snapshot.ts';
import type { ReplayMemory } from './replay-memory.ts';
import { readSignatureFields, type SignatureFields } from './signature-fields.ts';
import { SignedContent } from './signed-content.ts';
import { candidatesFor, isHmac, type KeyedSignature, kidOf, verifyWithKeys } from './verification.ts';

/** How long a message waits for the fetch of a key set, ms: on trial shorter, since it is forwarded in any case. */
const REFRESH_MS = { enforce: 2000, shadow: 100 } as const;

export interface SignatureDependencies {
  /** The key set of the policy as it is now; null: it could not be read yet, or the policy names none. */
  readonly keys: () => CompiledKeySet | null;
  /** Has the set fetched again; afterwards `keys` has the result. Settles within `limit` ms. */
  readonly refreshKeys: (limit: number) => Promise<unknown>;
  /** null: no policy refuses replays. */
  readonly replays: () => ReplayMemory | null;
  readonly count: (verdict: 'allow' | SignatureRefusal) => void;
}

interface HeadRequest {
  /** `RequestHead.fields`. */
  readonly fields: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

type BodyRequest = HeadRequest & { readonly body: Buffer };

/** What verified the body; `id` names it among all keys. */
interface UsedKey {
  readonly kid: string | null;
  readonly id: string;
}

export class SignatureGuard {
  readonly policy: SignaturePolicy;
  readonly #dependencies: SignatureDependencies;
  readonly #content: SignedContent;
  /** The fetch that messages wait for together. */
  #refreshing: Promise<unknown> | null = null;

  constructor(policy: SignaturePolicy, dependencies: SignatureDependencies) {
    this.policy = policy;
    this.#dependencies = dependencies;
    this.#content = new SignedContent(policy.timestamp?.signed ?? null);
  }

  get mode(): PolicyMode {
    return this.policy.mode;
  }

  /** Before the body is read; null: the body decides. */
  precheck({ fields, now }: HeadRequest): SignatureDenial | null {
    const head = readSignatureFields(fields, { policy: this.policy, now });
    return head.refusal === null ? null : this.#deny(head.refusal);
  }

  /**
   * With the whole body, which must not change until the verdict. At once for HMAC; else a promise that settles within a
   * bounded time and does not reject.
   */
  check(request: BodyRequest): SignatureVerdict | Promise<SignatureVerdict> {
    const { hmac } = this.policy;
    // The time is judged again: the body may have taken longer than the tolerance allows.
    const head = readSignatureFields(request.fields, { policy: this.policy, now: request.now });
    if (head.refusal !== null) return this.#deny(head.refusal);
    const { value } = head;
    if (value.kind !== 'hmac') return this.#verify(head, value, request);
    const isValid = hmac !== null && isHmac(value.bytes, this.#partsOf(head, request), hmac.secret);
    // The HMAC names the secret: two senders with secrets of their own may sign the same content in the same second.
    const id = value.bytes.toString('base64');
    return isValid ? this.#accept(head, request, { kid: null, id }) : this.#deny('signature_invalid');
  }

  /** The body cannot be held, so that it is not judged. */
  skip(): SignatureDenial {
    return this.#deny('signature_undecided');
  }

  async #verify(
    head: SignatureFields,
    value: KeyedSignature,
    request: BodyRequest,
  ): Promise<SignatureVerdict> {
    try {
      const key = await this.#findKey(value, this.#partsOf(head, request));
      return typeof key === 'string' ? this.#deny(key) : this.#accept(head, request, key);
    } catch {
      return this.#deny('signature_undecided');
    }
  }

  /** The key that verifies the signature, or why there is none. */
  async #findKey(value: KeyedSignature, parts: readonly Buffer[]): Promise<UsedKey | SignatureRefusal> {
    const { keys } = this.#dependencies;
    const kid = kidOf(value);
    if (needsRefresh(keys(), kid)) await this.#refresh();
    const set = keys();
    const first = await this.#try(value, parts, set);
    // Without a kid, a signature by a new key looks like an invalid one.
    if (kid !== null || typeof first !== 'string' || first === 'signature_undecided') return first;
    await this.#refresh();
    return keys() === set ? first : this.#try(value, parts, keys());
  }

  async #try(
    value: KeyedSignature,
    parts: readonly Buffer[],
    keys: CompiledKeySet | null,
  ): Promise<UsedKey | SignatureRefusal> {
    if (keys === null) return 'signature_undecided';
    const candidates = candidatesFor(value, { keys, algorithms: this.policy.algorithms });
    if (candidates.length === 0) return 'signature_key_unknown';
    const key = await verifyWithKeys(value, parts, candidates);
    return key === null ? 'signature_invalid' : { kid: key.kid, id: key.thumbprint };
  }

  #refresh(): Promise<unknown> {
    this.#refreshing ??= this.#dependencies.refreshKeys(REFRESH_MS[this.mode]).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  #accept(head: SignatureFields, request: BodyRequest, { kid, id }: UsedKey): SignatureVerdict {
    const refusal = this.policy.replay === 'refuse' ? this.#claim(head, request, id) : null;
    if (refusal !== null) return this.#deny(refusal);
    this.#dependencies.count('allow');
    return { allow: true, signature: { keyId: kid } };
  }

  /**
   * By the signed content and not by the signature: some can be changed into another valid one of the same content (ECDSA:
   * n − s for s).
   */
  #claim(head: SignatureFields, request: BodyRequest, keyId: string): SignatureRefusal | null {
    const { timestamp } = this.policy;
    const replays = this.#dependencies.replays();
    if (replays === null || timestamp === null || head.timestamp === null) return 'signature_undecided';
    const hash = createHash('sha256').update(`${keyId} `);
    if (head.value.kind === 'jws') hash.update(`${head.value.jws.protected}.`);
    for (const part of this.#partsOf(head, request)) hash.update(part);
    const claim = replays.claim(hash.digest(), {
      until: head.timestamp.at + timestamp.tolerance,
      now: request.now,
    });
    switch (claim) {
      case 'fresh':
        return null;
      case 'seen':
        return 'signature_replayed';
      case 'full':
        return 'signature_undecided';
      default:
        return claim satisfies never;
    }
  }

  #partsOf(head: SignatureFields, { body }: BodyRequest): Buffer[] {
    return this.#content.parts(head.timestamp?.text ?? '', body);
  }

  #deny(reason: SignatureRefusal): SignatureDenial {
    this.#dependencies.count(reason);
    return { allow: false, reason };
  }
}

function needsRefresh(keys: CompiledKeySet | null, kid: string | null): boolean {
  if (keys === null) return true;
  return kid === null ? keys.keys.length === 0 : !keys.has(kid);
}
