import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { epochEnd, epochOf, type TicketOptions, ticketKeys } from '../../src/handshake/resumption.ts';
import type { MatchRule } from '../../src/policy/snapshot.ts';

const hex = (options: TicketOptions) => Buffer.from(ticketKeys(options)).toString('hex');

const bytes = fc.uint8Array({ maxLength: 6 });
const anchor = fc.record({ root: bytes, issuing: fc.array(bytes, { maxLength: 4 }) });
const rule: fc.Arbitrary<MatchRule> = fc.record(
  { organizationalUnit: fc.string(), commonName: fc.string(), issuer: fc.string(), san: fc.string() },
  { requiredKeys: [] },
);
const options = fc.record({
  secret: fc.uint8Array({ minLength: 32, maxLength: 40 }),
  trust: fc.record({
    anchors: fc.array(anchor, { maxLength: 4 }),
    pins: fc.option(fc.array(fc.string({ maxLength: 3 }), { maxLength: 4 })),
    match: fc.option(fc.array(rule, { maxLength: 4 })),
  }),
  epoch: fc.nat(),
});

/** The same values as text, independent of their order: an oracle that shares no code with the encoding. */
function canonicalText({ secret, trust: { anchors, pins, match }, epoch }: TicketOptions): string {
  const sorted = (items: readonly string[]) => [...items].sort();
  const hexOf = (der: Uint8Array) => Buffer.from(der).toString('hex');
  return JSON.stringify([
    hexOf(secret),
    sorted(anchors.map(({ root, issuing }) => JSON.stringify([hexOf(root), sorted(issuing.map(hexOf))]))),
    pins && sorted(pins),
    match &&
      sorted(
        match.map((fields) =>
          JSON.stringify(sorted(Object.entries(fields).map((field) => JSON.stringify(field)))),
        ),
      ),
    epoch,
  ]);
}

/** The items ordered by the numbers in `order`. */
function shuffled<T>(items: readonly T[], order: readonly number[]): T[] {
  return items
    .map((item, index) => ({ item, rank: order[index % order.length] ?? 0, index }))
    .sort((a, b) => a.rank - b.rank || b.index - a.index)
    .map(({ item }) => item);
}

// Calculated with Python’s hmac and struct.
test('are 48 bytes, whose derivation must not change without a new label', () => {
  const keys = ticketKeys({
    secret: Buffer.alloc(32, 1),
    trust: {
      anchors: [{ root: Uint8Array.of(1), issuing: [Uint8Array.of(2), Uint8Array.of(3)] }],
      pins: ['AAAA'],
      match: [{ organizationalUnit: 'ä', commonName: 'b' }],
    },
    epoch: 41_000,
  });
  expect(keys).toBeInstanceOf(Uint8Array);
  expect(Buffer.from(keys).toString('hex')).toBe(
    '50b1da8f1e850d9717873dae3e161d7efcd647fa436eb9394c7a406b47956b5d1000d1f06b4bcfd07205bae4cc020ce8',
  );
});

test('do not depend on the order of anchors, issuing CAs, pins, rules and their fields', () => {
  fc.assert(
    fc.property(options, fc.array(fc.nat(), { minLength: 1 }), ({ secret, trust, epoch }, order) => {
      const { anchors, pins, match } = trust;
      const mixed = {
        anchors: shuffled(anchors, order).map(({ root, issuing }) => ({
          root,
          issuing: shuffled(issuing, order),
        })),
        pins: pins && shuffled(pins, order),
        match:
          match &&
          shuffled(match, order).map((fields) => Object.fromEntries(shuffled(Object.entries(fields), order))),
      };
      expect(hex({ secret, trust: mixed, epoch })).toBe(hex({ secret, trust, epoch }));
    }),
  );
});

test('change if the secret, the trust or the epoch changes, and only then', () => {
  fc.assert(
    fc.property(options, options, fc.constantFrom('secret', 'trust', 'epoch'), (one, two, part) => {
      const other = { ...one, [part]: two[part] };
      expect(hex(one) === hex(other)).toBe(canonicalText(one) === canonicalText(other));
    }),
    { numRuns: 500 },
  );
});

test('change if any part of the trust changes', () => {
  fc.assert(
    fc.property(options, options, fc.constantFrom('anchors', 'pins', 'match'), (one, two, part) => {
      const other = { ...one, trust: { ...one.trust, [part]: two.trust[part] } };
      expect(hex(one) === hex(other)).toBe(canonicalText(one) === canonicalText(other));
    }),
    { numRuns: 500 },
  );
});

describe('differ for', () => {
  const base: TicketOptions = {
    secret: Buffer.alloc(32, 1),
    trust: { anchors: [{ root: Uint8Array.of(1), issuing: [Uint8Array.of(2)] }], pins: null, match: null },
    epoch: 1,
  };
  const der = (...values: number[]) => Uint8Array.from(values);
  const anchors = (...list: { root: Uint8Array; issuing: Uint8Array[] }[]) => ({
    ...base.trust,
    anchors: list,
  });

  test.each<[string, TicketOptions['trust'], TicketOptions['trust']]>([
    ['no pins and an empty list', base.trust, { ...base.trust, pins: [] }],
    ['no match and an empty list', base.trust, { ...base.trust, match: [] }],
    ['pins and matches', { ...base.trust, pins: ['{}'] }, { ...base.trust, match: [{}] }],
    ['one pin and its two halves', { ...base.trust, pins: ['ab'] }, { ...base.trust, pins: ['a', 'b'] }],
    [
      'pins that are cut elsewhere',
      { ...base.trust, pins: ['ab', 'c'] },
      { ...base.trust, pins: ['a', 'bc'] },
    ],
    ['one pin once and twice', { ...base.trust, pins: ['a'] }, { ...base.trust, pins: ['a', 'a'] }],
    [
      'a root and its issuing CA in each other’s place',
      anchors({ root: der(1), issuing: [der(2)] }),
      anchors({ root: der(2), issuing: [der(1)] }),
    ],
    [
      'an issuing CA under one root or the other',
      anchors({ root: der(1), issuing: [der(3)] }, { root: der(2), issuing: [] }),
      anchors({ root: der(1), issuing: [] }, { root: der(2), issuing: [der(3)] }),
    ],
    [
      'two CAs and one of their bytes',
      anchors({ root: der(1), issuing: [der(2), der(3)] }),
      anchors({ root: der(1), issuing: [der(2, 3)] }),
    ],
    [
      'one rule of two fields and two of one',
      { ...base.trust, match: [{ commonName: 'a', san: 'b' }] },
      { ...base.trust, match: [{ commonName: 'a' }, { san: 'b' }] },
    ],
    [
      'two fields with the same value',
      { ...base.trust, match: [{ commonName: 'a' }] },
      { ...base.trust, match: [{ organizationalUnit: 'a' }] },
    ],
  ])('%s', (_, one, other) => {
    expect(hex({ ...base, trust: one })).not.toBe(hex({ ...base, trust: other }));
  });

  test('but not for other names of anchors, which are in no certificate', () => {
    const named = { ...base.trust, anchors: base.trust.anchors.map((each) => ({ ...each, name: 'a' })) };
    expect(hex({ ...base, trust: named })).toBe(hex(base));
  });
});

test('contain three different keys', () => {
  const keys = Buffer.from(
    ticketKeys({ secret: Buffer.alloc(32), trust: { anchors: [], pins: null, match: null }, epoch: 0 }),
  );
  const parts = [0, 16, 32].map((start) => keys.toString('hex', start, start + 16));
  expect(new Set(parts).size).toBe(3);
});

describe('epochs', () => {
  const hour = 3_600_000;

  test.each([
    [0, 12 * hour, 0],
    [12 * hour - 1, 12 * hour, 0],
    [12 * hour, 12 * hour, 1],
    [Date.UTC(2026, 0, 1), 24 * hour, 20_454],
  ])('%i ms in spans of %i ms is epoch %i', (now, rotate, epoch) => {
    expect(epochOf(now, rotate)).toBe(epoch);
  });

  test('end where the next one begins', () => {
    fc.assert(
      fc.property(fc.nat(2 ** 42), fc.integer({ min: 1000, max: 2 ** 31 - 1 }), (now, rotate) => {
        const end = epochEnd(now, rotate);
        expect(end).toBeGreaterThan(now);
        expect(end - now).toBeLessThanOrEqual(rotate);
        expect(epochOf(end - 1, rotate)).toBe(epochOf(now, rotate));
        expect(epochOf(end, rotate)).toBe(epochOf(now, rotate) + 1);
      }),
    );
  });
});
