import { describe, expect, it } from 'vitest';
import type { CrlSnapshot } from '../../../src/revocation/crl/crl.ts';
import { checkCrlSuccession, rollbackOf } from '../../../src/revocation/crl/succession.ts';
import { createTable } from '../../../src/revocation/crl/table.ts';

const now = Date.UTC(2026, 0, 15, 12);
const hour = 3_600_000;

const crl = (changes: Partial<CrlSnapshot> = {}): CrlSnapshot => ({
  ...{ sha256: '', issuer: 'ca', issuerText: 'CN=CA', signer: { sha256: '', spkiPin: '' } },
  ...{ number: 5n, baseNumber: null, thisUpdate: now - hour, nextUpdate: now + hour },
  ...{ scope: { extension: null, names: null, only: null, reasons: null, indirect: false } },
  ...{ freshestCrl: [], unclear: null, table: createTable({ count: 0, width: 1, issuers: [] }) },
  ...changes,
});
const scope = { ...crl().scope, extension: 'aa' };
const ended = { thisUpdate: now - 9 * hour, nextUpdate: now - 8 * hour };

it.each<[string, Partial<CrlSnapshot>, Partial<CrlSnapshot> | null, RegExp | null, RegExp?]>([
  ['the first', {}, null, null],
  ['a newer number', { number: 6n }, {}, null],
  ['the same number', {}, {}, null],
  ['an older number', { number: 4n }, {}, /^rolled back: CRL number 4 after 5$/],
  [
    'an older number than one that ended long ago, with an alarm',
    { number: 4n },
    ended,
    null,
    /^rolled back: CRL number 4 after 5; accepted because the CRL in use expired, grace period included, at 2026-01-15T08:00/,
  ],
  ['an older number than one that is in its grace', { number: 4n }, { nextUpdate: now - hour }, /^rolled/],
  [
    'an older number than one that never said when it ends, with an alarm when its grace is over',
    { number: 4n },
    { thisUpdate: now - 5 * hour, nextUpdate: null },
    null,
    /^rolled back/,
  ],
  ['a newer number than one that ended long ago', { number: 6n }, ended, null],
  ['one without a number', { number: null }, {}, /^rolled back: no CRL number/],
  ['one from before', { number: null, thisUpdate: now - 2 * hour }, { number: null }, /^rolled back/],
  ['one that has ended, within the grace', { nextUpdate: now - hour }, null, null],
  ['one that has ended, and its grace', ended, null, /^expired: at 2026-01-15T04/],
  ['one that does not say when it ends', { nextUpdate: null }, null, null],
  ['one that begins as soon as clocks differ', { thisUpdate: now + 300_000 }, null, null],
  ['one that begins later', { thisUpdate: now + 300_001 }, null, /^not yet valid/],
  ['another issuer’s', { issuer: 'sibling', number: 9n }, {}, /^another series/],
  ['one of another scope', { scope, number: 9n }, {}, /^another series/],
  ['a delta', { baseNumber: 5n, number: 9n }, {}, /^another series/],
  [
    'another issuer’s after one that has ended, with an alarm',
    { issuer: 'sibling', number: 1n },
    ended,
    null,
    /^another series/,
  ],
  ['one of a new scope after one that has ended, with an alarm', { scope }, ended, null, /^another series/],
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

describe('a CRL in the place of the last', () => {
  const facts = (number: bigint | null, thisUpdate: number) => ({ number, thisUpdate });

  it.each([
    ['a higher number', facts(2n, now), facts(1n, now), null],
    ['a higher number of an earlier date', facts(2n, now - 1), facts(1n, now), null],
    ['the same again', facts(1n, now), facts(1n, now), null],
    ['the same number of a later date', facts(1n, now + 1), facts(1n, now), null],
    ['a number where there was none', facts(1n, now), facts(null, now), null],
    ['no numbers and a later date', facts(null, now + 1), facts(null, now), null],
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
      'the same number of an earlier date',
      facts(2n, now - 1),
      facts(2n, now),
      'a CRL with thisUpdate 2026-01-15T11:59:59',
    ],
    ['no numbers and an earlier date', facts(null, now - 1), facts(null, now), 'a CRL with thisUpdate'],
  ])('may not have %s', (_, next, last, why) => {
    expect(rollbackOf(next, last)).toContain(why);
  });
});
