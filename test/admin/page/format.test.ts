import { describe, expect, it } from 'vitest';
import {
  day,
  formatBytes,
  formatClock,
  formatDaysLeft,
  formatExact,
  formatMilliseconds,
  formatRate,
  formatRelative,
  formatSpan,
  hour,
  minute,
  plural,
  second,
} from '../../../src/admin/page/format.ts';

const now = Date.UTC(2026, 10, 29, 5, 12, 3);

describe('a number of the page', () => {
  it.each([
    [0, '0'],
    [0.01, '< 0.1'],
    [0.26, '0.3'],
    [9.96, '10'],
    [312.4, '312'],
    [12_345.6, '12,346'],
  ])('%d a second reads %s', (value, text) => {
    expect(formatRate(value)).toBe(text);
  });

  it.each([
    [null, '–'],
    [0, '0 ms'],
    [0.04, '< 0.1 ms'],
    [3.42, '3.4 ms'],
    [41.8, '42 ms'],
    [999.4, '999 ms'],
    [1000, '1 s'],
    [1254, '1.25 s'],
    [60_000, '60 s'],
  ])('%s milliseconds read %s', (value, text) => {
    expect(formatMilliseconds(value)).toBe(text);
  });

  it.each([
    [0, '0 B'],
    [1023, '1,023 B'],
    [18_230, '17.8 KiB'],
    [5 * 1024 ** 2, '5 MiB'],
    [3 * 1024 ** 4, '3,072 GiB'],
  ])('%d bytes read %s', (value, text) => {
    expect(formatBytes(value)).toBe(text);
  });

  it('stands with its word in the singular and in the plural', () => {
    expect([plural(1, 'entry', 'entries'), plural(2, 'entry', 'entries'), plural(0, 'message')]).toEqual([
      '1 entry',
      '2 entries',
      '0 messages',
    ]);
  });
});

describe('a time of the page', () => {
  it.each([
    [0, '0 s'],
    [59.9 * second, '59 s'],
    [minute, '1 min'],
    [3 * hour + 5 * minute, '3 h 5 min'],
    [4 * hour, '4 h'],
    [day, '1 d'],
    [1500 * day, '1,500 d'],
    [-second, '0 s'],
  ])('a span of %d ms reads %s', (ms, text) => {
    expect(formatSpan(ms)).toBe(text);
  });

  it.each([
    [now, 'just now'],
    [now + second, 'just now'],
    [now - 12 * second, '12 s ago'],
    [now + 3 * hour, 'in 3 h'],
  ])('is relative to the gateway’s clock', (time, text) => {
    expect(formatRelative(time, now)).toBe(text);
  });

  it('has its date where it lies on another day', () => {
    expect([formatClock(now - hour, now), formatClock(now - day, now)]).toEqual([
      '04:12:03',
      '2026-11-28 05:12',
    ]);
    expect(formatExact(now)).toBe('2026-11-29 05:12:03 UTC');
  });

  it('throws nothing where it lies outside of the calendar', () => {
    expect(formatExact(Number.NaN)).toBe('????-??-?? ??:??:?? UTC');
    expect(formatClock(1e20, now)).toContain('?');
  });

  it.each([
    [4.4 * day, '4 days left'],
    [47 * hour, '1 d left'],
    [5 * hour, '5 h left'],
    [-3 * day, 'expired 3 d ago'],
    [5209.5 * day, '5,209 days left'],
  ])('an end %d ms ahead reads %s', (ahead, text) => {
    expect(formatDaysLeft(now + ahead, now)).toBe(text);
  });
});
