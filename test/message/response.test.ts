import { describe, expect, it } from 'vitest';
import { hasContentType, parseResponseHead, type ResponseHead } from '../../src/message/response.ts';

function parse(start: string, lines: readonly string[] = [], toHead = false) {
  return parseResponseHead(`${[start, ...lines].join('\r\n')}\r\n\r\n`, { toHead, maxFields: 5 });
}

const length = 'Content-Length: 3';
const chunked = 'Transfer-Encoding: chunked';

describe('an answer’s head', () => {
  it('is read into status, reason, fields and framing', () => {
    expect(parse('HTTP/1.1 200 All Right', ['Date: x', length, 'Set-Cookie: a', 'set-cookie: b'])).toEqual({
      status: 200,
      reason: 'All Right',
      fields: 'Date: x\r\nSet-Cookie: a\r\nset-cookie: b\r\n',
      framing: 'length',
      length: 3,
      reusable: true,
      idleSeconds: -1,
    });
  });

  it.each([
    ['an empty one', 'HTTP/1.1 200 ', ''],
    ['none, without the space before it', 'HTTP/1.1 200', ''],
    ['spaces and obs-text', 'HTTP/1.1 200  \xe9\ta ', ' \xe9\ta '],
  ])('may have a reason: %s', (_, start, reason) => {
    expect(parse(start)?.reason).toBe(reason);
  });

  it('loses hop-by-hop fields and those that Connection names', () => {
    const head = parse('HTTP/1.1 200 OK', [
      'X-A: 1',
      'Connection: x-a',
      'Keep-Alive: 5',
      'Upgrade: h2',
      'X_B: 2',
    ]);
    expect(head?.fields).toBe('X_B: 2\r\n');
  });

  it.each([
    ['the length', '200', [length], false, 'length', 3],
    ['an empty length', '200', ['Content-Length: 0'], false, 'length', 0],
    ['chunks', '200', [chunked], false, 'chunked', -1],
    ['the end of the connection', '200', [], false, 'close', -1],
    ['nothing after an answer to HEAD with a length', '200', [length], true, 'none', 3],
    ['nothing after an answer to HEAD with chunks', '200', [chunked], true, 'none', -1],
    ['nothing after an answer to HEAD without either', '200', [], true, 'none', -1],
    ['nothing after 204', '204', [], false, 'none', -1],
    ['nothing after 204 with a length', '204', ['Content-Length: 0'], false, 'none', 0],
    ['nothing after 304 with a length', '304', [length], false, 'none', 3],
    ['nothing after 304 with chunks', '304', [chunked], false, 'none', -1],
    ['nothing after 100', '100', [], false, 'none', -1],
    ['nothing after 199', '199', [], false, 'none', -1],
    ['a length after a status without a name', '999', [length], false, 'length', 3],
  ] as const)('ends its body with %s', (_, status, lines, toHead, framing, stated) => {
    expect(parse(`HTTP/1.1 ${status} x`, lines, toHead)).toMatchObject({ framing, length: stated });
  });

  it.each([
    ['on HTTP/1.1', 'HTTP/1.1 200 OK', [length], true],
    ['on HTTP/1.1 with chunks', 'HTTP/1.1 200 OK', [chunked], true],
    ['not after close', 'HTTP/1.1 200 OK', [length, 'Connection: Close'], false],
    ['not after a body until close', 'HTTP/1.1 200 OK', [], false],
    ['not on HTTP/1.0', 'HTTP/1.0 200 OK', [length], false],
    ['on HTTP/1.0 with keep-alive', 'HTTP/1.0 200 OK', [length, 'Connection: keep-alive'], true],
    [
      'not on HTTP/1.0 with keep-alive and close',
      'HTTP/1.0 200 OK',
      [length, 'Connection: keep-alive, close'],
      false,
    ],
    ['not on HTTP/1.0 with keep-alive until close', 'HTTP/1.0 200 OK', ['Connection: keep-alive'], false],
  ] as const)('leaves its connection for another request: %s', (_, start, lines, reusable) => {
    expect(parse(start, lines)?.reusable).toBe(reusable);
  });
});

describe('an answer’s head is not accepted', () => {
  it.each([
    ['with HTTP/2.0', 'HTTP/2.0 200 OK', []],
    ['with HTTP/1.2', 'HTTP/1.2 200 OK', []],
    ['of ICY', 'ICY 200 OK', []],
    ['with a status of two digits', 'HTTP/1.1 20 OK', []],
    ['with a status of four digits', 'HTTP/1.1 2000 OK', []],
    ['with a status that begins with 0', 'HTTP/1.1 020 OK', []],
    ['with a signed status', 'HTTP/1.1 +20 OK', []],
    ['with two spaces before the status', 'HTTP/1.1  200 OK', []],
    ['with a tab before the reason', 'HTTP/1.1 200\tOK', []],
    ['with a control character in the reason', 'HTTP/1.1 200 O\x01K', []],
    ['with DEL in the reason', 'HTTP/1.1 200 O\x7fK', []],
    ['with a space before it', ' HTTP/1.1 200 OK', []],
    ['with an empty line before it', '\r\nHTTP/1.1 200 OK', []],
    ['with a folded line', 'HTTP/1.1 200 OK', ['A: 1', ' 2']],
    ['with a space before a colon', 'HTTP/1.1 200 OK', ['A : 1']],
    ['with a line without a colon', 'HTTP/1.1 200 OK', ['A']],
    ['with a control character in a value', 'HTTP/1.1 200 OK', ['A: \x01']],
    ['with more fields than the limit', 'HTTP/1.1 200 OK', ['A: 1', 'A: 1', 'A: 1', 'A: 1', 'A: 1', 'A: 1']],
    ['with two lengths', 'HTTP/1.1 200 OK', [length, length]],
    ['with a list of lengths', 'HTTP/1.1 200 OK', ['Content-Length: 3, 3']],
    ['with a signed length', 'HTTP/1.1 200 OK', ['Content-Length: -3']],
    ['with length and chunked', 'HTTP/1.1 200 OK', [length, chunked]],
    ['with chunked twice', 'HTTP/1.1 200 OK', [chunked, chunked]],
    ['with `gzip, chunked`', 'HTTP/1.1 200 OK', ['Transfer-Encoding: gzip, chunked']],
    // llhttp reads the body until close here; RFC 9112 reads chunks.
    ['with a tab behind chunked', 'HTTP/1.1 200 OK', [`${chunked}\t`]],
    ['with chunked on HTTP/1.0', 'HTTP/1.0 200 OK', [chunked]],
    ['when Connection names content-length', 'HTTP/1.1 200 OK', ['Connection: content-length', length]],
    // llhttp reads a body here; RFC 9112 reads the next answer.
    ['as an interim answer with a length', 'HTTP/1.1 199 x', [length]],
    ['as an interim answer with an empty length', 'HTTP/1.1 103 x', ['Content-Length: 0']],
    ['as an interim answer with chunks', 'HTTP/1.1 100 x', [chunked]],
  ])('%s', (_, start, lines) => {
    expect(parse(start, lines)).toBe(null);
  });
});

describe('an answer', () => {
  it.each([
    ['says what its body is', ['A: 1', 'Content-Type: text/plain'], true],
    ['says so in any case', ['CONTENT-type: a/b'], true],
    ['says nothing', ['A: 1'], false],
    ['says nothing with an empty value', ['Content-Type:'], false],
    ['says nothing with a name of that length', ['Context-Type: a'], false],
  ])('%s', (_, lines, said) => {
    expect(hasContentType(parse('HTTP/1.1 200 OK', lines) as ResponseHead)).toBe(said);
  });
});
