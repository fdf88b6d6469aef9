import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTarget } from '../../src/message/target.ts';

describe('a target is read', () => {
  it.each([
    ['the root', '/', 1],
    ['a path', '/v1/ehi', 7],
    ['a trailing slash', '/v1/', 4],
    ['an empty query', '/a?', 2],
    ['a query with slashes, question marks and dot segments', '/a?b=/../c?d', 2],
    ['an encoded slash, dot, backslash and NUL in the query', '/a?%2f%2e%5c%00', 2],
    ['every character of RFC 3986 in a segment', "/-._~!$&'()*+,;=:@azAZ09", 24],
    ['percent-encodings that do not change the path', '/%41%7e%25%ff', 13],
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
  ])('as ambiguous with %s', (_, target) => {
    expect(readTarget(target)).toBe('target_ambiguous');
  });
});

it('reads no target that WHATWG URL resolves to another path', () => {
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

it('reads only targets of RFC 3986, whatever byte stands anywhere', () => {
  const allowed =
    /^\/(?:[\w.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*(?:\?(?:[\w.~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?$/;
  for (let byte = 0; byte < 256; byte++) {
    for (const target of ['/a', '/a?b'].map((start) => `${start}${String.fromCharCode(byte)}c`)) {
      expect([target, typeof readTarget(target) !== 'string']).toEqual([target, allowed.test(target)]);
    }
  }
});
