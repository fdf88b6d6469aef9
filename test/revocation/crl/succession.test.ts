import { describe, expect, it } from 'vitest';
import type { CrlSnapshot } from '../../../src/revocation/crl/crl.ts';
import { checkCrlSuccession, rollbackOf } from '../../../src/revocation/crl/succession.ts';
import { createTable } from '../../../src/revocation/crl/table.ts';

const now = Date.UTC(2026, 0, 15, 12);
const hour = 3_600_000;

const crl = (changes: Partial<CrlSnapshot> = {}): CrlSnapshot => ({
  ...{ sha256: '', issuer: 'ca', issuerText: 'CN=CA', signer: { spkiPin: '' } },
  ...{ number: 5n, baseNumber: null, thisUpdate: now - hour, nextUpdate: now + hour },
  ...{ scope: { extension: null, names: null, only: null, reasons: null, indirect: false } },
  ...{ freshestCrl: [], unclear: null, table: createTable({ count: 0, width: 1, issuers: [] }) },
  ...changes,
});
const scope = { ...crl().scope, extension: 'aa' };
const ended = { thisUpdate: now - 9 * hour, nextUpdate: now - 8 * hour };

it.each<[string, Partial<CrlSnapshot>, Partial<CrlSnapshot> | null, RegExp | null, RegExp?]>([
  ['accepts the first CRL', {}, null, null],
  ['accepts a higher number', { number: 6n }, {}, null],
  ['accepts the same number', {}, {}, null],
  ['refuses a lower number', { number: 4n }, {}, /^rolled back: CRL number 4 after 5$/],
  [
    'accepts a lower number with a warning after the last CRL and its grace period have expired',
    { number: 4n },
    ended,
    null,
    /^rolled back: CRL number 4 after 5; accepted because the CRL in use expired, grace period included, at 2026-01-15T08:00/,
  ],
  [
    'refuses a lower number while the last CRL is in its grace period',
    { number: 4n },
    { nextUpdate: now - hour },
    /^rolled/,
  ],
  [
    'accepts a lower number with a warning after the grace period of a CRL without nextUpdate',
    { number: 4n },
    { thisUpdate: now - 5 * hour, nextUpdate: null },
    null,
    /^rolled back/,
  ],
  ['accepts a higher number without a warning after the last CRL has expired', { number: 6n }, ended, null],
  [
    'refuses a CRL without a number after one with a number',
    { number: null },
    {},
    /^rolled back: no CRL number/,
  ],
  [
    'refuses an earlier thisUpdate without numbers',
    { number: null, thisUpdate: now - 2 * hour },
    { number: null },
    /^rolled back/,
  ],
  ['accepts an expired CRL within the grace period', { nextUpdate: now - hour }, null, null],
  ['refuses a CRL past its grace period', ended, null, /^expired: at 2026-01-15T04/],
  ['accepts a CRL without nextUpdate', { nextUpdate: null }, null, null],
  ['accepts a thisUpdate ahead by the clock skew', { thisUpdate: now + 300_000 }, null, null],
  ['refuses a thisUpdate further ahead', { thisUpdate: now + 300_001 }, null, /^not yet valid/],
  ['refuses a CRL of another issuer', { issuer: 'sibling', number: 9n }, {}, /^another series/],
  ['refuses a CRL of another scope', { scope, number: 9n }, {}, /^another series/],
  ['refuses a delta CRL', { baseNumber: 5n, number: 9n }, {}, /^another series/],
  [
    'accepts a CRL of another issuer with a warning after the last one has expired',
    { issuer: 'sibling', number: 1n },
    ended,
    null,
    /^another series/,
  ],
  [
    'accepts a CRL of another scope with a warning after the last one has expired',
    { scope },
    ended,
    null,
    /^another series/,
  ],
])('%s', (_, next, last, objection, warning) => {
  const succession = checkCrlSuccession(crl(next), {
    ...{ last: last === null ? null : crl(last), now, grace: 4 * hour },
  });
  expect(succession).toEqual(
    objection === null
      ? { accepted: true, warning: warning === undefined ? null : expect.stringMatching(warning) }
      : { accepted: false, objection: expect.stringMatching(objection) },
  );
});

describe('a CRL after the last one', () => {
  const facts = (number: bigint | null, thisUpdate: number) => ({ number, thisUpdate });

  it.each([
    ['a higher number', facts(2n, now), facts(1n, now), null],
    ['a higher number with an earlier thisUpdate', facts(2n, now - 1), facts(1n, now), null],
    ['the same number and thisUpdate', facts(1n, now), facts(1n, now), null],
    ['the same number with a later thisUpdate', facts(1n, now + 1), facts(1n, now), null],
    ['a number where there was none', facts(1n, now), facts(null, now), null],
    ['no number and a later thisUpdate', facts(null, now + 1), facts(null, now), null],
  ])('may have %s', (_, next, last) => {
    expect(rollbackOf(next, last)).toBeNull();
  });

  it.each([
    ['a lower number', facts(1n, now + 1), facts(2n, now), 'CRL number 1 after 2'],
    [
      'a lower number beyond 2^64',
      facts(2n ** 90n, now),
      facts(2n ** 90n + 1n, now),
      `CRL number ${2n ** 90n} after`,
    ],
    ['no number', facts(null, now + 1), facts(2n, now), 'no CRL number after 2'],
    [
      'the same number with an earlier thisUpdate',
      facts(2n, now - 1),
      facts(2n, now),
      'a CRL with thisUpdate 2026-01-15T11:59:59',
    ],
    ['no number and an earlier thisUpdate', facts(null, now - 1), facts(null, now), 'a CRL with thisUpdate'],
  ])('may not have %s', (_, next, last, why) => {
    expect(rollbackOf(next, last)).toContain(why);
  });
});
