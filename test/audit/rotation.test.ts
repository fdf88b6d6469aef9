import { describe, expect, it } from 'vitest';
import { planRotation } from '../../src/audit/rotation.ts';
import { isRotatedName } from '../../src/audit/seals/renamed-files.ts';

describe('a rotation', () => {
  const plan = (names: string[], keep = 3) => planRotation(names, { base: 'a.log', keep });
  const current = ['a.log', 'a.log.1'];

  it.each<[string, string[], string[][], string[]]>([
    ['the first one', ['a.log'], [current], []],
    ['of a file that has an older one', ['a.log', 'a.log.1'], [['a.log.1', 'a.log.2'], current], []],
    [
      'removes the oldest if all numbers are taken',
      ['a.log', 'a.log.1', 'a.log.2', 'a.log.3'],
      [['a.log.2', 'a.log.3'], ['a.log.1', 'a.log.2'], current],
      ['a.log.3'],
    ],
    [
      'fills the number that a crash left free',
      ['a.log', 'a.log.1', 'a.log.3'],
      [['a.log.1', 'a.log.2'], current],
      [],
    ],
    ['removes nothing if the first number is free', ['a.log', 'a.log.2', 'a.log.3'], [current], []],
    [
      'moves and removes compressed files',
      ['a.log', 'a.log.1', 'a.log.2.gz', 'a.log.3.zst'],
      [['a.log.2.gz', 'a.log.3.gz'], ['a.log.1', 'a.log.2'], current],
      ['a.log.3.zst'],
    ],
    [
      'leaves other files and higher numbers alone',
      ['a.log', 'a.log.4', 'a.log.01', 'a.log.1.bak', 'a.log-1', 'b.log.1', 'a.log.'],
      [current],
      [],
    ],
  ])('%s', (_, names, renames, remove) => {
    expect(plan(names)).toEqual({ renames, remove });
  });

  it('keeps one file', () => {
    expect(plan(['a.log', 'a.log.1', 'a.log.2'], 1)).toEqual({ renames: [current], remove: ['a.log.1'] });
  });
});

it.each([
  ...['audit.log.1', 'audit.log.12.gz', 'audit.log-20261129', 'audit.log-20261129.zst', 'audit-20261129.log'],
  ...['audit-2026-11-29.log', 'audit.20261129T050000.log'],
  ...['audit-20261129.log.gz', 'audit.log.2026-11-29T05:00:00', 'audit.log-20261129-1764392400.bz2'],
])('%s is a name of the rotated audit.log', (name) => {
  expect(isRotatedName(name, 'audit.log')).toBe(true);
});

it.each([
  'audit.log',
  'audit.log.new',
  'audit.log.1.bak',
  'audit.log1',
  'other.log.1',
  'audit.logs.1',
  'audit.log.gz',
  'audit-2.log',
  'audit-2.log.gz',
  'audit.1.log',
  'audit-2026-11.log',
])('%s is none', (name) => {
  expect(isRotatedName(name, 'audit.log')).toBe(false);
});
