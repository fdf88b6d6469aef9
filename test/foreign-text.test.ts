import fc from 'fast-check';
import { expect, it } from 'vitest';
import { escapedAsHex, printable, printableLines, printableValue, safeJson } from '../src/foreign-text.ts';

/** Also in names of unsafe fields: what a terminal or a page must not get. */
const unsafe = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{DI}\u2800\u00a0]/u;
const hostile = '\u202eevil\u2066\u3164\u{e0041}\u00a0\u001b[2J';

it.each([
  ['an escape sequence', '\u001b[2J', '\\u{1b}[2J'],
  ['a line break', 'a\nb\r', 'a\\u{a}b\\u{d}'],
  ['a C1 control', '\u009b31m', '\\u{9b}31m'],
  ['a bidirectional override', 'a\u202eb', 'a\\u{202e}b'],
  ['a zero width joiner', 'a\u200db', 'a\\u{200d}b'],
  ['a line separator', 'a\u2028b', 'a\\u{2028}b'],
  ['an isolate', 'a\u2067b', 'a\\u{2067}b'],
  ['a filler', 'a\u3164b\uffa0', 'a\\u{3164}b\\u{ffa0}'],
  ['a variation selector', 'a\ufe0f', 'a\\u{fe0f}'],
  ['a tag', 'a\u{e0041}', 'a\\u{e0041}'],
  ['a blank', 'a\u2800', 'a\\u{2800}'],
  ['a space that is no U+0020', 'a\u00a0b\u2009', 'a\\u{a0}b\\u{2009}'],
  ['a lone surrogate', 'a\ud800b', 'a\\u{d800}b'],
  ['a name in another script', 'Überweisung 銀行\u3000שלום 😀', 'Überweisung 銀行\u3000שלום 😀'],
])('escapes or keeps %s', (_, text, expected) => {
  expect(printable(text)).toBe(expected);
});

it('contains no control character, whatever the text', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(unsafe);
    }),
  );
});

it('keeps the line breaks of a text of several lines', () => {
  expect(printableLines('a\u202eb\nc\rd\n')).toBe('a\\u{202e}b\nc\\u{d}d\n');
});

it('is JSON without an unsafe character that a reader gets unchanged', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: 'binary' }), (value, text) => {
      const all = { value, [text]: `${text}${hostile}` };
      const json = safeJson(all);
      expect(json).not.toMatch(unsafe);
      expect(JSON.parse(json)).toEqual(JSON.parse(JSON.stringify(all)));
    }),
  );
});

it('escapes in a distinguished name by hex pairs that RFC 4514 allows', () => {
  expect(escapedAsHex('a\u202eb\u00a0é')).toBe('a\\e2\\80\\aeb\\c2\\a0é');
  expect(escapedAsHex('a\ud800')).toBe('a\ud800');
});

it('escapes every text of a value, and nothing else', () => {
  const value = { a: [hostile, { b: hostile, c: 1 }], d: null, e: true };
  const text = printable(hostile);
  expect(printableValue(value)).toEqual({ a: [text, { b: text, c: 1 }], d: null, e: true });
});
