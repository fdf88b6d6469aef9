/** The claims of an access token that are judged, from a JWT (RFC 9068 §2.2) or an introspection answer (RFC 7662 §2.2). */

/** Plain data: it crosses the thread border. Times in milliseconds since the epoch. null: not stated. */
export interface AccessTokenClaims {
  readonly issuer: string | null;
  /** Empty: not stated. */
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  readonly expires: number | null;
  readonly notBefore: number | null;
  readonly issuedAt: number | null;
  readonly clientId: string | null;
  readonly subject: string | null;
  readonly confirmation: Confirmation | null;
}

/** `cnf` (RFC 7800 §3.1): what the presenter of the token must possess. */
export interface Confirmation {
  /** `x5t#S256`: base64url SHA-256 of a certificate (RFC 8705 §3.1); null: it names something else. */
  readonly thumbprint: string | null;
}

type Members = Readonly<Record<string, unknown>>;

/** What an authorization server says of a token. `until`: milliseconds since the epoch, up to which it may be reused. */
export type Introspection =
  | { readonly status: 'active'; readonly claims: AccessTokenClaims; readonly until: number }
  | { readonly status: 'inactive'; readonly until: number }
  /** No answer, or none that can be used. `cause`: for the log; never repeats the token or the answer. */
  | { readonly status: 'failed'; readonly cause: string };

/** `value`: parsed JSON. null: no object, or a claim of the wrong type: what it is meant to say cannot be known. */
export function readClaims(value: unknown): AccessTokenClaims | null {
  if (!isObject(value)) return null;
  const { iss, aud, exp, nbf, iat, client_id: client, sub, cnf } = value;
  const claims = {
    issuer: optional(iss, text),
    audience: isAbsent(aud) ? [] : texts(aud),
    scopes: scopesOf(value),
    expires: optional(exp, time),
    notBefore: optional(nbf, time),
    issuedAt: optional(iat, time),
    clientId: optional(client, textOrNumber),
    subject: optional(sub, text),
    confirmation: optional(cnf, confirmation),
  };
  return isWellTyped(claims) ? claims : null;
}

/** undefined: of the wrong type. */
type Reading = { readonly [K in keyof AccessTokenClaims]: AccessTokenClaims[K] | undefined };

function isWellTyped(claims: Reading): claims is AccessTokenClaims {
  return Object.values(claims).every((claim) => claim !== undefined);
}

/** A claim may be null, as the `scope` of Authlete: it states nothing. */
function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function optional<T>(value: unknown, read: (value: unknown) => T | undefined): T | null | undefined {
  return isAbsent(value) ? null : read(value);
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Some servers write identifiers of clients as numbers. */
function textOrNumber(value: unknown): string | undefined {
  return Number.isSafeInteger(value) ? String(value) : text(value);
}

/** One text, or a list of them (RFC 7519 §4.1.3). */
function texts(value: unknown): string[] | undefined {
  const read = (Array.isArray(value) ? value : [value]).map(text);
  return read.every((each) => each !== undefined) ? read : undefined;
}

/** NumericDate (RFC 7519 §2): seconds, with or without a fraction. */
function time(value: unknown): number | undefined {
  // A time beyond the range of dates is no time; it would also compare as valid for ever.
  const isTime = typeof value === 'number' && Math.abs(value) <= 8.64e12;
  return isTime ? value * 1000 : undefined;
}

/** `scope` (RFC 8693 §4.2), else `scp`, which some servers use instead: a text, or a list. */
function scopesOf({ scope, scp }: Members): readonly string[] | undefined {
  if (!isAbsent(scope)) return typeof scope === 'string' ? split(scope) : undefined;
  if (isAbsent(scp)) return [];
  return typeof scp === 'string' ? split(scp) : texts(scp);
}

function split(scope: string): string[] {
  return scope.split(' ').filter((each) => each !== '');
}

function confirmation(value: unknown): Confirmation | undefined {
  if (!isObject(value)) return undefined;
  const thumbprint = optional(value['x5t#S256'], text);
  return thumbprint === undefined ? undefined : { thumbprint };
}
