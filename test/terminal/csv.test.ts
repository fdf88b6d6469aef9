/** CSV that a spreadsheet reads as text. */
import { expect, it } from 'vitest';
import { toCsv } from '../../src/terminal/csv.ts';

it('quotes what RFC 4180 requires, and ends each line with CRLF', () => {
  const rows = [{ a: 'x,y', b: 'say "hi"', c: 7, d: null }];
  expect(toCsv(['a', 'b', 'c', 'd'], rows)).toBe('a,b,c,d\r\n"x,y","say ""hi""",7,\r\n');
});

it.each(['=cmd|calc', '+1', '-1+1', '@SUM(A1)', ' =1', '\t=1', '\r=1', '＝1', '\u00a0=1'])(
  'makes the text %j inert',
  (text) => {
    const [, line = ''] = toCsv(['a'], [{ a: text }]).split('\r\n');
    expect(line.replace(/^"/, '')).not.toMatch(/^\s*[=+\-@＝]/);
  },
);

it('writes no line break and no control character of a text', () => {
  const csv = toCsv(['a'], [{ a: 'one\r\n=two\u001b[31m\u202e' }]);
  expect(csv).toBe('a\r\none\\u{d}\\u{a}=two\\u{1b}[31m\\u{202e}\r\n');
});

it('leaves numbers as they are', () => {
  expect(toCsv(['a', 'b'], [{ a: -5, b: true }])).toBe('a,b\r\n-5,true\r\n');
});
