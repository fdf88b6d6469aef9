/** The policies of a route that judge a message before it is forwarded: bearer, then signature. */
import type { BearerVerdict, SignatureDenial, SignatureVerdict } from '../message/message-verdicts.ts';
import type { PolicyMode } from '../policy/snapshot.ts';

export interface BearerCheck {
  readonly mode: PolicyMode;
  /** The host does not get the Authorization field. */
  readonly strips: boolean;
  /** At once where the token is known; else a promise that settles within a bounded time and does not reject. */
  check(request: {
    /** `RequestHead.fields`. */
    readonly fields: string;
    readonly target: string;
    /** `x5t#S256` of the client's certificate; null: it has none. */
    readonly thumbprint: string | null;
    /** Milliseconds since the epoch. */
    readonly now: number;
  }): BearerVerdict | Promise<BearerVerdict>;
}

export interface SignatureCheck {
  readonly mode: PolicyMode;
  /** Before the body is read; null: the body decides. */
  precheck(request: { readonly fields: string; readonly now: number }): SignatureDenial | null;
  /** As `BearerCheck.check`, with the whole body. */
  check(request: {
    readonly fields: string;
    readonly body: Buffer;
    readonly now: number;
  }): SignatureVerdict | Promise<SignatureVerdict>;
  /** The body cannot be held, so that it is not judged. */
  skip(): SignatureDenial;
}

export interface MessageGuards {
  readonly bearer: BearerCheck | null;
  readonly signature: SignatureCheck | null;
}
