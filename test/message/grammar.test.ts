import { describe, expect, it } from 'vitest';
import { asMethod, hexValue, isHost, isToken, parseLength, valueTable } from '../../src/message/grammar.ts';

const everyByte = Array.from({ length: 256 }, (_, byte) => byte);

describe('a token', () => {
  it('has the characters of RFC 9110 §5.6.2 and no others', () => {
    const tokens = everyByte.filter((byte) => isToken(String.fromCharCode(byte)));
    const allowed = everyByte.filter((byte) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(byte)));
    expect(tokens).toEqual(allowed);
  });

  it('is not empty, and has no characters beyond one byte', () => {
    expect([isToken(''), isToken('a\u0141')]).toEqual([false, false]);
  });
});

it('allows only HTAB, SP, VCHAR and obs-text in a field value', () => {
  const allowed = everyByte.filter((byte) => byte === 9 || (byte >= 32 && byte !== 127));
  expect(everyByte.filter((byte) => valueTable[byte] === 1)).toEqual(allowed);
});

it('reads hex digits in both cases, and nothing else', () => {
  for (const byte of everyByte) {
    const text = String.fromCharCode(byte);
    expect([byte, hexValue(byte)]).toEqual([byte, /[0-9A-Fa-f]/.test(text) ? Number.parseInt(text, 16) : -1]);
  }
  expect([hexValue(Number.NaN), hexValue(0x141)]).toEqual([-1, -1]);
});

it('knows seven methods, in upper case only', () => {
  expect(['GET', 'get', 'TRACE', '', 'constructor'].map(asMethod)).toEqual(['GET', null, null, null, null]);
});

describe('a Host', () => {
  it.each([
    'a',
    'host.test',
    'HOST_1:8443',
    '192.0.2.1',
    '[2001:db8::1]',
    '[::ffff:192.0.2.1]:80',
    'a:0',
    '!$&;=',
  ])('%s is accepted', (value) => {
    expect(isHost(value)).toBe(true);
  });

  it.each([
    ['', 'empty'],
    [':80', 'only a port'],
    ['a:', 'an empty port'],
    ['a:123456', 'six digits'],
    ['a:8o', 'letters in the port'],
    ['a:80:80', 'two ports'],
    ['2001:db8::1', 'no brackets'],
    ['[::1', 'an open bracket'],
    ['[]', 'empty brackets'],
    ['[::1%25eth0]', 'a zone'],
    ['user@a', 'user information'],
    ['a/b', 'a path'],
    ['a?b', 'a query'],
    ['a#b', 'a fragment'],
    ['a b', 'a space'],
    ['a, b', 'a list'],
    ['%61', 'percent-encoding'],
    ['caf\xe9', 'obs-text'],
    ['a\n', 'a line end'],
  ])('%j is refused: %s', (value) => {
    expect(isHost(value)).toBe(false);
  });
});

it.each([
  ['0', 0],
  ['007', 7],
  ['999999999999999', 999_999_999_999_999],
  ['1000000000000000', -1],
  ['', -1],
  ['+1', -1],
  ['-1', -1],
  ['1.0', -1],
  ['1e3', -1],
  ['0x1', -1],
  [' 1', -1],
  ['1 ', -1],
  ['1,1', -1],
  ['\u0661', -1],
])('reads the length %j as %i', (text, length) => {
  expect(parseLength(text)).toBe(length);
});
