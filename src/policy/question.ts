/** What a relay thread asks the control thread while a message waits, and the answers. */
import type { Introspection } from '../jose/access-token.ts';

export type Question =
  /** Fetch this key set again, because a token or a signature names a key that it does not have. */
  | { readonly kind: 'refresh_keys'; readonly source: string }
  /** What the introspection endpoint `id` says of a token (RFC 7662). */
  | { readonly kind: 'introspect'; readonly id: string; readonly token: string };

/** By the kind of the question. */
export interface Answers {
  /** Whether the set was fetched; the snapshot in use has its keys. */
  readonly refresh_keys: boolean;
  readonly introspect: Introspection;
}

export type Answer = Answers[Question['kind']];

/** Resolves with null if there is no answer within `limit` milliseconds. Never rejects. */
export type Ask = <Q extends Question>(question: Q, limit: number) => Promise<Answers[Q['kind']] | null>;
