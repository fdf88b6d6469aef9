/** Takes the access token from a request: from the Authorization field alone (RFC 6750 §2.1). */
import { findField } from '../message/head-fields.ts';
import type { BearerRefusal } from '../message/message-reasons.ts';

/** Bytes of a token. */
export const MAX_TOKEN = 8 * 1024;

export type TokenReading = { readonly token: string } | { readonly refusal: BearerRefusal };

const missing: TokenReading = { refusal: 'token_missing' };
const repeated: TokenReading = { refusal: 'token_repeated' };
const inQuery: TokenReading = { refusal: 'token_in_query' };
const tooLarge: TokenReading = { refusal: 'token_too_large' };

/** `fields`: `RequestHead.fields`. `target`: in origin form. The token may still be malformed: `isWellFormed`. */
export function readToken(fields: string, target: string): TokenReading {
  // RFC 6750 §2: a request with two methods is refused, and a token in a query appears in logs and histories (§5.3).
  if (hasTokenInQuery(target)) return inQuery;
  const line = findField(fields, 'authorization');
  if (line === -1) return missing;
  const end = fields.indexOf('\r\n', line);
  // Which of several the host would take is not known.
  if (findField(fields, 'authorization', end + 2) !== -1) return repeated;
  const start = line + 'authorization: '.length;
  const schemeEnd = Math.min(start + 'bearer'.length, end);
  // RFC 9110 §11.1: the case of the scheme does not matter.
  const isBearer = fields.slice(start, schemeEnd).toLowerCase() === 'bearer';
  if (!isBearer || (schemeEnd < end && fields[schemeEnd] !== ' ')) return missing;
  let from = schemeEnd;
  while (fields[from] === ' ') from += 1;
  const token = fields.slice(from, end);
  if (token.length > MAX_TOKEN) return tooLarge;
  return { token };
}

/** Also where a letter of the name is percent-encoded. */
function hasTokenInQuery(target: string): boolean {
  const at = target.indexOf('?');
  return at !== -1 && new URLSearchParams(target.slice(at + 1)).has('access_token');
}

/** Characters of b64token (RFC 6750 §2.1) before the final `=`. */
const characters = new Uint8Array(256);
for (const each of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/')
  characters[each.charCodeAt(0)] = 1;

/** Apart from `readToken`, because it takes longer than all the rest: a token that is known is well-formed. */
export function isWellFormed(token: string): boolean {
  let end = token.length;
  while (end > 0 && token[end - 1] === '=') end -= 1;
  for (let at = 0; at < end; at++) if (characters[token.charCodeAt(at)] !== 1) return false;
  return end > 0;
}
