import { expect, it } from 'vitest';
import { challengeOf } from '../../src/bearer/challenge.ts';
import { type BearerRefusal, bearerRefusals } from '../../src/message/message-reasons.ts';

it.each([
  ['token_missing', 'Bearer realm="ehi-gateway", scope="ehi read"'],
  ['token_in_query', 'Bearer error="invalid_request"'],
  ['token_binding', 'Bearer error="invalid_token"'],
  ['token_scope', 'Bearer error="insufficient_scope", scope="ehi read"'],
  ['token_undecided', 'Bearer realm="ehi-gateway", scope="ehi read"'],
] as const)('the challenge of %s is as RFC 6750 §3.1 demands', (reason, challenge) => {
  expect(challengeOf(reason, ['ehi', 'read'])).toBe(challenge);
});

it('has at least one parameter without scopes too', () => {
  for (const reason of Object.keys(bearerRefusals) as BearerRefusal[])
    expect(challengeOf(reason, [])).toMatch(/^Bearer \w+="[^"]+"$/);
});

it('states the same for every token that is refused, whatever the reason', () => {
  const reasons = Object.entries(bearerRefusals).filter(([, { status }]) => status === 401);
  const challenges = reasons
    .filter(([reason]) => reason !== 'token_missing')
    .map(([reason]) => challengeOf(reason as BearerRefusal, ['ehi']));
  expect(new Set(challenges)).toEqual(new Set(['Bearer error="invalid_token"']));
});
