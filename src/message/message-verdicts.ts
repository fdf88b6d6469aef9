/** The verdicts on a message by the policies of its route: bearer (RFC 6750, RFC 8705) and signature. */
import type { BearerRefusal, SignatureRefusal } from './message-reasons.ts';

/** What a token said of the client, once it was verified; null: not stated. */
export interface TokenFacts {
  readonly clientId: string | null;
  readonly subject: string | null;
  /** `kid` of the key that verified the token; null: introspection, or a key without one. */
  readonly keyId: string | null;
  readonly how: 'jwt' | 'introspection';
}

export type BearerVerdict =
  | { readonly allow: true; readonly token: TokenFacts }
  | {
      readonly allow: false;
      readonly reason: BearerRefusal;
      /** The value of WWW-Authenticate (RFC 6750 §3). */
      readonly challenge: string;
      /** null: nothing that the token says was verified. */
      readonly token: TokenFacts | null;
    };

export interface SignatureFacts {
  /** `kid` of the key that verified the body; null: a key without one, or HMAC. */
  readonly keyId: string | null;
}

export type SignatureVerdict = { readonly allow: true; readonly signature: SignatureFacts } | SignatureDenial;

export interface SignatureDenial {
  readonly allow: false;
  readonly reason: SignatureRefusal;
}
