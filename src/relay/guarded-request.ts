/** A request on a route with guards, from its complete head until it is forwarded or refused. */
import type { PolicyFacts } from '../audit/record.ts';
import { noBytes } from '../message/head-buffer.ts';
import { withoutField } from '../message/head-fields.ts';
import type { BearerRefusal, RefusalName, SignatureRefusal } from '../message/message-reasons.ts';
import type {
  BearerVerdict,
  SignatureFacts,
  SignatureVerdict,
  TokenFacts,
} from '../message/message-verdicts.ts';
import type { RequestHead } from '../message/request.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { Caller } from './caller.ts';
import type { ClientAccount } from './client-accounts.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import type { HeldBodies } from './held-bodies.ts';
import type { BearerCheck, MessageGuards, SignatureCheck } from './message-guards.ts';
import type { Route } from './route-table.ts';

/** Why a guard refuses; null: it does not. */
export type GuardRefusal = { readonly reason: RefusalName; readonly challenge: string | null } | null;

export interface GuardedOptions {
  readonly head: RequestHead;
  readonly route: Route;
  readonly guards: MessageGuards;
  /** performance.now() when the head was complete. */
  readonly startedAt: number;
}

/** What the requests of a connection have in common. */
interface GuardingContext {
  readonly caller: Caller;
  readonly held: HeldBodies;
}

export class GuardedRequest {
  readonly route: Route;
  readonly startedAt: number;

  readonly #guards: MessageGuards;
  readonly #context: GuardingContext;
  #head: RequestHead;
  /** null: nothing of it is held. */
  #body: GrowingBuffer | null = null;
  #isBodyComplete = false;
  #signatureJudged: boolean;
  readonly #policies: {
    token: TokenFacts | null;
    signature: SignatureFacts | null;
    readonly shadow: (BearerRefusal | SignatureRefusal)[];
  } = { token: null, signature: null, shadow: [] };

  constructor({ head, route, guards, startedAt }: GuardedOptions, context: GuardingContext) {
    this.#head = head;
    this.route = route;
    this.startedAt = startedAt;
    this.#guards = guards;
    this.#context = context;
    this.#signatureJudged = guards.signature === null;
  }

  /** Without Authorization once the token is judged, if its policy strips it and is enforced. */
  get head(): RequestHead {
    return this.#head;
  }

  /** The head is judged, and the body must be held and judged too. */
  get awaitsBody(): boolean {
    return !this.#signatureJudged;
  }

  /** The whole body is held, and was judged or is being judged. */
  get isBodyComplete(): boolean {
    return this.#isBodyComplete;
  }

  /** What the guards found, for the audit. A verdict on trial that comes after the message was forwarded is added. */
  get policies(): PolicyFacts {
    return this.#policies;
  }

  /** A message is in flight from its complete head on; `by`: 1 at the start, -1 at the end. */
  countInFlight({ meter }: Recorder, account: ClientAccount, by: 1 | -1): void {
    meter.inFlight += by;
    account.inFlight += by;
    this.route.meter.inFlight += by;
  }

  /** Judges the head: the token, then what the head says of the signature. The promise does not reject. */
  judgeHead(): GuardRefusal | Promise<GuardRefusal> {
    const { bearer } = this.#guards;
    if (bearer === null) return this.#judgeSignatureHead();
    const { fields, target } = this.#head;
    const thumbprint = this.#context.caller.permit.leaf?.thumbprint ?? null;
    const verdict = bearer.check({ fields, target, thumbprint, now: Date.now() });
    if (!(verdict instanceof Promise)) return this.#onToken(verdict, bearer);
    if (bearer.mode === 'shadow') return this.#onTrial(verdict);
    return verdict.then((known) => this.#onToken(known, bearer));
  }

  /** On trial no message waits for a verdict. Its record has the one that is known when the message ends. */
  #onTrial(verdict: Promise<BearerVerdict>): GuardRefusal {
    const policies = this.#policies;
    // The first entry, since the token is judged before the signature.
    policies.shadow.push('token_undecided');
    void verdict.then((known) => {
      policies.token = known.token;
      policies.shadow.splice(0, 1, ...(known.allow ? [] : [known.reason]));
    });
    return this.#judgeSignatureHead();
  }

  #onToken(verdict: BearerVerdict, { mode, strips }: BearerCheck): GuardRefusal {
    this.#policies.token = verdict.token;
    if (!verdict.allow && mode === 'enforce') return verdict;
    if (!verdict.allow) this.#policies.shadow.push(verdict.reason);
    const refusal = this.#judgeSignatureHead();
    // On trial the host gets what it got before.
    if (strips && mode === 'enforce')
      this.#head = { ...this.#head, fields: withoutField(this.#head.fields, 'authorization') };
    return refusal;
  }

  #judgeSignatureHead(): GuardRefusal {
    const { signature } = this.#guards;
    const denial = signature?.precheck({ fields: this.#head.fields, now: Date.now() }) ?? null;
    return denial === null || signature === null ? null : this.#onSignature(denial, signature);
  }

  #onSignature(verdict: SignatureVerdict, { mode }: SignatureCheck): GuardRefusal {
    this.#signatureJudged = true;
    if (verdict.allow) this.#policies.signature = verdict.signature;
    else if (mode === 'enforce') return { reason: verdict.reason, challenge: null };
    else this.#policies.shadow.push(verdict.reason);
    return null;
  }

  /** Copies bytes `at` to `end` of the body. False: the memory of all held bodies would exceed `limit`. */
  hold(bytes: Buffer, span: { readonly at: number; readonly end: number; readonly limit: number }): boolean {
    const { at, end, limit } = span;
    const { held } = this.#context;
    const { framing, length } = this.#head;
    this.#body ??= new GrowingBuffer(framing === 'length' ? length : undefined);
    const { capacity } = this.#body;
    // The spare memory of a body that grows counts too, and takes no more than is left.
    const grown = this.#body.capacityWith(end - at, limit - held.bytes + capacity);
    if (!held.add(grown - capacity, limit)) return false;
    this.#body.add(bytes, at, end, grown);
    return true;
  }

  /** The rest of the body cannot be held. True: it is forwarded all the same, since the policy is on trial. */
  skipBody(): boolean {
    const { signature } = this.#guards;
    if (signature?.mode !== 'shadow') return false;
    this.#onSignature(signature.skip(), signature);
    return true;
  }

  /** Judges the signature of the held body, which is complete. The promise does not reject. */
  judgeBody(): GuardRefusal | Promise<GuardRefusal> {
    const { signature } = this.#guards;
    this.#isBodyComplete = true;
    if (signature === null) return null;
    const { fields } = this.#head;
    const verdict = signature.check({ fields, body: this.#body?.bytes ?? noBytes, now: Date.now() });
    if (verdict instanceof Promise) return verdict.then((known) => this.#onSignature(known, signature));
    return this.#onSignature(verdict, signature);
  }

  /** Returns the held body, and releases it. */
  takeBody(): Buffer {
    if (this.#body === null) return noBytes;
    this.#context.held.remove(this.#body.capacity);
    return this.#body.take();
  }
}
