import { expect, it } from 'vitest';
import { denyReasons } from '../../src/identity/deny-reasons.ts';
import { deny } from '../../src/identity/verdict.ts';

it('denies with what the table of reasons says and advises, unless the check has a more precise detail', () => {
  const { says, advice } = denyReasons.expired;
  expect(deny('expired')).toEqual({ allow: false, reason: 'expired', detail: `${says}. ${advice}` });
  expect(deny('expired', 'CN=a expired')).toEqual({
    allow: false,
    reason: 'expired',
    detail: 'CN=a expired',
  });
});
