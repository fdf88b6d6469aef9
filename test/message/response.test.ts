import { describe, expect, it } from 'vitest';
import { hasContentType, parseResponseHead, type ResponseHead } from '../../src/message/response.ts';

function parse(start: string, lines: readonly string[] = [], toHead = false) {
  return parseResponseHead(`${[start, ...lines].join('\r\n')}\r\n\r\n`, { toHead, maxFields: 5 });
}

function accepted(...head: Parameters<typeof parse>): ResponseHead {
  const read = parse(...head);
  return 'fault' in read ? expect.fail(read.cause) : read;
}

const length = 'Content-Length: 3';
const chunked = 'Transfer-Encoding: chunked';

describe('a response head', () => {
  it('is parsed into status, reason, fields and framing', () => {
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
    expect(accepted(start).reason).toBe(reason);
  });

  it('is forwarded without hop-by-hop fields and those that Connection names', () => {
    const head = accepted('HTTP/1.1 200 OK', [
      'X-A: 1',
      'Connection: x-a',
      'Keep-Alive: 5',
      'Upgrade: h2',
      'X_B: 2',
    ]);
    expect(head.fields).toBe('X_B: 2\r\n');
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
    expect(accepted(start, lines).reusable).toBe(reusable);
  });
});

describe('a response head is refused', () => {
  it.each([
    ['with HTTP/2.0', 'HTTP/2.0 200 OK', [], 'bad_answer', 'status_line'],
    ['with HTTP/1.2', 'HTTP/1.2 200 OK', [], 'bad_answer', 'status_line'],
    ['of ICY', 'ICY 200 OK', [], 'bad_answer', 'status_line'],
    ['with a status of two digits', 'HTTP/1.1 20 OK', [], 'bad_answer', 'status_line'],
    ['with a status of four digits', 'HTTP/1.1 2000 OK', [], 'bad_answer', 'status_line'],
    ['with a status that begins with 0', 'HTTP/1.1 020 OK', [], 'bad_answer', 'status_line'],
    ['with a signed status', 'HTTP/1.1 +20 OK', [], 'bad_answer', 'status_line'],
    ['with two spaces before the status', 'HTTP/1.1  200 OK', [], 'bad_answer', 'status_line'],
    ['with a tab before the reason', 'HTTP/1.1 200\tOK', [], 'bad_answer', 'status_line'],
    ['with a control character in the reason', 'HTTP/1.1 200 O\x01K', [], 'bad_answer', 'status_line'],
    ['with DEL in the reason', 'HTTP/1.1 200 O\x7fK', [], 'bad_answer', 'status_line'],
    ['with a space before it', ' HTTP/1.1 200 OK', [], 'bad_answer', 'status_line'],
    ['with an empty line before it', '\r\nHTTP/1.1 200 OK', [], 'bad_answer', 'status_line'],
    ['with a folded line', 'HTTP/1.1 200 OK', ['A: 1', ' 2'], 'bad_answer', 'line_folding'],
    ['with a space before a colon', 'HTTP/1.1 200 OK', ['A : 1'], 'bad_answer', 'field_name'],
    ['with a line without a colon', 'HTTP/1.1 200 OK', ['A'], 'bad_answer', 'field_name'],
    ['with a control character in a value', 'HTTP/1.1 200 OK', ['A: \x01'], 'bad_answer', 'field_value'],
    [
      'with more fields than the limit',
      'HTTP/1.1 200 OK',
      ['A: 1', 'A: 1', 'A: 1', 'A: 1', 'A: 1', 'A: 1'],
      'host_head_too_large',
      'field_count',
    ],
    ['with two lengths', 'HTTP/1.1 200 OK', [length, length], 'host_framing', 'content_length'],
    ['with a list of lengths', 'HTTP/1.1 200 OK', ['Content-Length: 3, 3'], 'host_framing', 'content_length'],
    ['with a signed length', 'HTTP/1.1 200 OK', ['Content-Length: -3'], 'host_framing', 'content_length'],
    ['with length and chunked', 'HTTP/1.1 200 OK', [length, chunked], 'host_framing', 'transfer_encoding'],
    ['with chunked twice', 'HTTP/1.1 200 OK', [chunked, chunked], 'host_framing', 'transfer_encoding'],
    [
      'with `gzip, chunked`',
      'HTTP/1.1 200 OK',
      ['Transfer-Encoding: gzip, chunked'],
      'host_framing',
      'transfer_coding',
    ],
    // llhttp reads the body until close here; RFC 9112 reads chunks.
    ['with a tab behind chunked', 'HTTP/1.1 200 OK', [`${chunked}\t`], 'host_framing', 'transfer_encoding'],
    ['with chunked on HTTP/1.0', 'HTTP/1.0 200 OK', [chunked], 'host_framing', 'transfer_encoding'],
    [
      'when Connection names content-length',
      'HTTP/1.1 200 OK',
      ['Connection: content-length', length],
      'bad_answer',
      'connection_names',
    ],
    // llhttp reads a body here; RFC 9112 reads the next answer.
    ['as an interim answer with a length', 'HTTP/1.1 199 x', [length], 'host_framing', 'interim_framing'],
    [
      'as an interim answer with an empty length',
      'HTTP/1.1 103 x',
      ['Content-Length: 0'],
      'host_framing',
      'interim_framing',
    ],
    ['as an interim answer with chunks', 'HTTP/1.1 100 x', [chunked], 'host_framing', 'interim_framing'],
  ])('%s', (_, start, lines, fault, cause) => {
    expect(parse(start, lines)).toEqual({ fault, cause });
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
    expect(hasContentType(accepted('HTTP/1.1 200 OK', lines))).toBe(said);
  });
});
