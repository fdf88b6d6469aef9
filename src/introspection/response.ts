/** Reads the response of an introspection endpoint (RFC 7662 §2.2) strictly: what is not clear is no answer. */
import { type AccessTokenClaims, readClaims } from '../jose/access-token.ts';
import { readJson } from '../jose/strict-json.ts';

export type ResponseReading =
  | { readonly status: 'active'; readonly claims: AccessTokenClaims }
  | { readonly status: 'inactive' }
  /** `problem` never repeats the response. */
  | { readonly status: 'invalid'; readonly problem: string };

/** `type`: the value of Content-Type. */
export function readResponse(body: Uint8Array, type: string): ResponseReading {
  const media = type.split(';', 1)[0]?.trim().toLowerCase();
  if (media !== 'application/json') return invalid('the response is not application/json');
  const json = readJson(body);
  if (!json.ok) return invalid(`the response is ${json.problem}`);
  const { value } = json;
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return invalid('the response is no JSON object');
  const { active } = value as { readonly active?: unknown };
  if (active === false) return { status: 'inactive' };
  if (active !== true) return invalid('the response has no active that is true or false');
  const claims = readClaims(value);
  return claims === null
    ? invalid('the response has a member of the wrong type')
    : { status: 'active', claims };
}

function invalid(problem: string): ResponseReading {
  return { status: 'invalid', problem };
}
