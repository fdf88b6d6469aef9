import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTarget } from '../../src/message/request-target.ts';

describe('a target is accepted', () => {
  it.each([
    ['the root', '/', 1],
    ['a path', '/v1/ehi', 7],
    ['a trailing slash', '/v1/', 4],
    ['an empty query', '/a?', 2],
    ['a query with slashes, question marks and dot segments', '/a?b=/../c?d', 2],
    ['an encoded slash, dot, backslash and NUL in the query', '/a?%2f%2e%5c%00', 2],
    ['every character of RFC 3986 in a segment', "/-._~!$&'()*+,;=:@azAZ09", 24],
    ['percent-encodings that do not change the path', '/%41%7e%25%ff', 13],
    ['an encoded percent sign and digits that hide nothing', '/100%25/%2541/%25zz', 19],
    ['an encoded semicolon in a name', '/a%3bb/...%3b', 13],
    ['characters of UTF-8 and of Latin-1', '/%c3%a9/%e2%82%ac/%f0%9f%92%b3/caf%e9', 37],
    ['encoded line breaks in the query', '/a?%0d%0a%250d', 2],
    ['three dots, and names that begin or end in dots', '/.../.a/..b/c./d..', 18],
    ['parameters in a segment that is not dots', '/a;x=../b;y', 11],
  ])('with %s', (_, target, pathEnd) => {
    expect(readTarget(target)).toEqual({ pathEnd });
  });
});

describe('a target is refused', () => {
  it.each([
    ['when it is empty', ''],
    ['in absolute form', 'http://a/b'],
    ['in authority form', 'a:443'],
    ['in asterisk form', '*'],
    ['without a slash first', 'a/b'],
    ['when it begins with a query', '?a'],
    ['with a fragment', '/a#b'],
    ['with a fragment behind the query', '/a?b#c'],
    ['with a backslash', '/a\\b'],
    ['with a backslash in the query', '/a?b\\c'],
    ['with a control character', '/a\x01'],
    ['with DEL', '/a\x7f'],
    ['with obs-text in the path', '/caf\xe9'],
    ['with obs-text in the query', '/a?caf\xe9'],
    ['with quotes', '/"a"'],
    ['with angle brackets', '/<a>'],
    ['with braces', '/{a}'],
    ['with a bar', '/a|b'],
    ['with a caret', '/a^b'],
    ['with a backtick', '/a`b'],
    ['with square brackets in the path', '/a[0]'],
    ['with square brackets in the query', '/a?b[0]=1'],
    ['with a percent at the end', '/a%'],
    ['with half a percent-encoding', '/a%4'],
    ['with a percent before other letters', '/a%g0'],
    ['with a percent before a slash', '/a%2/b'],
    ['with a percent-encoding cut by the query', '/a%4?1'],
    ['with a broken percent-encoding in the query', '/a?b=%'],
    ['with an encoded Unicode escape', '/%u002e%u002e/'],
  ])('%s', (_, target) => {
    expect(readTarget(target)).toBe('target');
  });

  it.each([
    ['a dot segment', '/a/./b'],
    ['two dots', '/a/../b'],
    ['a dot at the end', '/a/.'],
    ['two dots at the end', '/a/..'],
    ['only a dot', '/.'],
    ['two dots before the query', '/..?a'],
    ['two dots with a parameter', '/a/..;x/b'],
    ['two dots with a parameter at the end', '/a/..;x=1'],
    ['a dot with a parameter', '/a/.;/b'],
    ['an empty segment', '/a//b'],
    ['two slashes first', '//a'],
    ['two slashes at the end', '/a//'],
    ['only slashes', '//'],
    ['an encoded dot', '/a/%2e/b'],
    ['an encoded dot behind a dot', '/a/.%2E/b'],
    ['an encoded dot inside of a name', '/a%2eb'],
    ['an encoded slash', '/a%2fb'],
    ['an encoded slash in upper case', '/a%2Fb'],
    ['an encoded backslash', '/a%5cb'],
    ['an encoded NUL', '/a%00'],
    ['an encoded CR', '/a%0d'],
    ['an encoded LF', '/%0Ab'],
    ['an encoded tab', '/a%09'],
    ['an encoded DEL', '/a%7f'],
    ['a dot encoded twice', '/a/%252e%252E/b'],
    ['a slash encoded three times', '/a%25252fb'],
    ['CR and LF encoded twice', '/a%250d%250aX'],
    ['NUL encoded twice', '/a%2500'],
    ['a dot whose code is encoded digit by digit', '/a/%25%32%65'],
    ['an A that is encoded more often than any host decodes', '/%2525252541'],
    ['a dot in overlong UTF-8', '/a/%c0%ae%c0%ae/b'],
    ['a slash in overlong UTF-8 of three bytes', '/a%e0%80%afb'],
    ['a slash in overlong UTF-8 of four bytes', '/a%f0%80%80%afb'],
    ['NUL in overlong UTF-8, encoded twice', '/a%25c0%2580'],
    ['a dot in overlong UTF-8 whose second byte is encoded twice', '/a%c0%25ae'],
    ['a dot in overlong UTF-8 whose first byte is encoded twice', '/a%25c0%ae'],
    ['a slash in overlong UTF-8 whose bytes are encoded twice and three times', '/a%25e0%252580%25af'],
    ['two dots with an encoded semicolon', '/a/..%3b/b'],
    ['a dot with an encoded semicolon', '/a/.%3Bx/b'],
    ['a dot with a semicolon encoded twice', '/a/.%253b'],
    ['two dots with a semicolon encoded three times', '/a/..%25253Bx/b'],
  ])('as ambiguous with %s', (_, target) => {
    expect(readTarget(target)).toBe('target_ambiguous');
  });
});

it('accepts no target that WHATWG URL resolves to another path', () => {
  const piece = fc.constantFrom(
    '/',
    '.',
    '..',
    'a',
    '%2e',
    '%2F',
    '%41',
    ';',
    '?',
    '#',
    '\\',
    ':',
    '@',
    '%',
    '\t',
    '|',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (parts) => {
      const target = `/${parts.join('')}`;
      const read = readTarget(target);
      fc.pre(typeof read !== 'string');
      const { pathname, search, hash, host } = new URL(target, 'http://host.test');
      expect([pathname, host, hash]).toEqual([target.slice(0, read.pathEnd), 'host.test', '']);
      expect(search).toBe(target.slice(read.pathEnd).replace(/^\?$/, ''));
    }),
    { numRuns: 2000 },
  );
});

it('accepts no path with a dot segment, a backslash or a control character after any number of decodings', () => {
  const piece = fc.constantFrom(
    '/',
    '.',
    '%',
    '25',
    '2e',
    '2F',
    '0d',
    '0A',
    '5c',
    '00',
    'c0',
    'ae',
    'a',
    '3b',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (parts) => {
      const target = `/a${parts.join('')}`;
      fc.pre(typeof readTarget(target) !== 'string');
      for (let text = target; ; ) {
        const decoded = text.replace(/%([0-9a-f]{2})/gi, (_, hex) =>
          String.fromCharCode(Number.parseInt(hex, 16)),
        );
        if (decoded === text) break;
        text = decoded;
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
        expect(text).not.toMatch(/[\x00-\x1f\\]|\/\.{1,2}(?:[/;]|$)|\xc0\xae/);
        expect(text.split('/')).toHaveLength(target.split('/').length);
      }
    }),
    { numRuns: 5000 },
  );
});

it('accepts only targets of RFC 3986, with any byte at any position', () => {
  const allowed =
    /^\/(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*(?:\?(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$/;
  for (let byte = 0; byte < 256; byte++) {
    for (const target of ['/a', '/a?b'].map((start) => `${start}${String.fromCharCode(byte)}c`)) {
      expect([target, typeof readTarget(target) !== 'string']).toEqual([target, allowed.test(target)]);
    }
  }
});
