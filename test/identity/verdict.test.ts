import { expect, it } from 'vitest';
import { denyReasons } from '../../src/identity/deny-reasons.ts';
import { deny, explainDenial } from '../../src/identity/verdict.ts';

const { says, advice } = denyReasons.expired;

it('denies with what the table of reasons says, unless the check has a more precise detail', () => {
  expect(deny('expired')).toEqual({ allow: false, reason: 'expired', detail: says });
  expect(deny('expired', 'CN=a expired')).toMatchObject({ reason: 'expired', detail: 'CN=a expired' });
});

it('explains a denial with its likely cause and what to do, one full stop between', () => {
  expect(explainDenial(deny('expired'))).toBe(`${says}. ${advice}`);
  expect(explainDenial(deny('expired', 'CN=a expired.'))).toBe(`CN=a expired. ${advice}`);
});
