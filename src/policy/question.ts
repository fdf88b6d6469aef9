/** What a relay thread asks the control thread while a message waits, and the answers. */

export type Question =
  /** Fetch this key set again, because a token or a signature names a key that it does not have. */
  | { readonly kind: 'refresh_keys'; readonly source: string }
  /** What the introspection endpoint `id` says of a token (RFC 7662). */
  | { readonly kind: 'introspect'; readonly id: string; readonly token: string };

/** The claims of an introspection response that are judged; absent: not stated. */
export interface IntrospectedClaims {
  readonly iss?: string;
  readonly aud?: readonly string[];
  /** Separated by spaces. */
  readonly scope?: string;
  /** Seconds since the epoch. */
  readonly exp?: number;
  readonly nbf?: number;
  readonly client_id?: string;
  readonly sub?: string;
  /** `cnf["x5t#S256"]`. */
  readonly thumbprint?: string;
}

export type Introspection =
  | { readonly status: 'inactive' }
  | { readonly status: 'active'; readonly claims: IntrospectedClaims }
  /** For the log: why there is no answer. */
  | { readonly status: 'failed'; readonly cause: string };

/** By the kind of the question. */
export interface Answers {
  /** Whether the set was fetched; the snapshot in use has its keys. */
  readonly refresh_keys: boolean;
  readonly introspect: Introspection;
}

export type Answer = Answers[Question['kind']];

/** Resolves with null if there is no answer within `limit` milliseconds. Never rejects. */
export type Ask = <Q extends Question>(question: Q, limit: number) => Promise<Answers[Q['kind']] | null>;
