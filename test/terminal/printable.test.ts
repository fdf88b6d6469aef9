import fc from 'fast-check';
import { expect, it } from 'vitest';
import { printable } from '../../src/terminal/printable.ts';

it.each([
  ['an escape sequence', '\u001b[2J', '\\u{1b}[2J'],
  ['a line break', 'a\nb\r', 'a\\u{a}b\\u{d}'],
  ['a C1 control', '\u009b31m', '\\u{9b}31m'],
  ['a bidirectional override', 'a\u202eb', 'a\\u{202e}b'],
  ['a zero width joiner', 'a\u200db', 'a\\u{200d}b'],
  ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
  ['a lone surrogate', 'a\ud800b', 'a\\u{d800}b'],
  ['a name in another script', 'Überweisung 銀行 😀', 'Überweisung 銀行 😀'],
])('escapes or keeps %s', (_, text, expected) => {
  expect(printable(text)).toBe(expected);
});

it('contains no control character, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
    }),
  );
});
