import { describe, expect, it } from 'vitest';
import {
  assemble,
  writeRequestEnd,
  writeRequestStart,
  writeResponseHead,
} from '../../src/message/head-writer.ts';
import { parseRequestHead, type RequestHead } from '../../src/message/request.ts';
import { parseResponseHead, type ResponseHead } from '../../src/message/response.ts';

function request(text: string): RequestHead {
  const head = parseRequestHead(`${text}\r\n\r\n`, { fields: 10, body: 100 });
  if (head.kind === 'refused') throw new Error(head.refusal);
  return head;
}

function answer(text: string, toHead = false): ResponseHead {
  const head = parseResponseHead(`${text}\r\n\r\n`, { toHead, maxFields: 10 });
  if ('fault' in head) throw new Error(head.cause);
  return head;
}

describe('a request goes on', () => {
  it('with its own Host first, its other fields as written, and without what it said of the connection', () => {
    const head = request(
      'GET /a?b HTTP/1.1\r\nX-B:1\r\nConnection: close, x-c\r\nHOST:  a.test \r\nx-a:\t2\r\nX-C: 3\r\nX-B: 4',
    );
    expect(writeRequestStart(head, 'other')).toBe(
      'GET /a?b HTTP/1.1\r\nHost: a.test\r\nX-B: 1\r\nx-a: 2\r\nX-B: 4\r\n',
    );
    expect(writeRequestEnd(head)).toBe('\r\n');
  });

  it('as HTTP/1.1 with the upstream’s authority when it came as HTTP/1.0 without Host', () => {
    expect(writeRequestStart(request('GET / HTTP/1.0'), 'up:80')).toBe('GET / HTTP/1.1\r\nHost: up:80\r\n');
    expect(writeRequestStart(request('GET / HTTP/1.0\r\nHost: a'), 'up:80')).toBe(
      'GET / HTTP/1.1\r\nHost: a\r\n',
    );
  });

  it.each([
    ['Content-Length: 007', 'Content-Length: 7\r\n\r\n'],
    ['content-length:0', 'Content-Length: 0\r\n\r\n'],
    ['transfer-encoding:CHUNKED', 'Transfer-Encoding: chunked\r\n\r\n'],
  ])('framed anew: %s', (line, end) => {
    expect(writeRequestEnd(request(`POST / HTTP/1.1\r\nHost: a\r\n${line}`))).toBe(end);
  });

  it('without Expect: the gateway has answered it', () => {
    const head = request('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1');
    expect(writeRequestStart(head, 'a') + writeRequestEnd(head)).not.toMatch(/expect/i);
  });
});

describe('an answer goes on', () => {
  it.each([
    [
      'with its length',
      'HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 03',
      false,
      'A: 1\r\nContent-Length: 3\r\n',
    ],
    [
      'as HTTP/1.1 when it came as HTTP/1.0',
      'HTTP/1.0 200 OK\r\nContent-Length: 3',
      false,
      'Content-Length: 3\r\n',
    ],
    [
      'to HEAD with the length that GET would get',
      'HTTP/1.1 200 OK\r\nContent-Length: 9',
      true,
      'Content-Length: 9\r\n',
    ],
    ['to HEAD without chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked', true, ''],
    ['without the host’s word on its connection', 'HTTP/1.1 200 OK\r\nConnection: close', false, ''],
  ])('%s', (_, text, toHead, fields) => {
    const written = writeResponseHead(answer(text, toHead), { chunked: false, close: false });
    expect(written).toBe(`HTTP/1.1 200 OK\r\n${fields}\r\n`);
  });

  it('as 204 without a length, as 304 with it', () => {
    const written = ['204', '304'].map((status) =>
      writeResponseHead(answer(`HTTP/1.1 ${status} x\r\nContent-Length: 5`), {
        chunked: false,
        close: false,
      }),
    );
    expect(written).toEqual(['HTTP/1.1 204 x\r\n\r\n', 'HTTP/1.1 304 x\r\nContent-Length: 5\r\n\r\n']);
  });

  it('in chunks and with close when it is told so, and never with a length too', () => {
    const head = answer('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked');
    expect(writeResponseHead(head, { chunked: true, close: true })).toBe(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n',
    );
    const stated = answer('HTTP/1.1 200 OK\r\nContent-Length: 3');
    expect(writeResponseHead(stated, { chunked: true, close: false })).not.toContain('Content-Length');
  });

  it('with the length that was counted', () => {
    const head = answer('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked');
    expect(writeResponseHead(head, { length: 12, chunked: false, close: false })).toBe(
      'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n',
    );
  });

  it('with every byte of its reason and values', () => {
    const head = answer('HTTP/1.1 200 caf\xe9\r\nX: \xff"\t\xa0');
    expect(assemble(writeResponseHead(head, { chunked: false, close: false }), none).toString('latin1')).toBe(
      'HTTP/1.1 200 caf\xe9\r\nX: \xff"\t\xa0\r\n\r\n',
    );
  });
});

const bytes = Buffer.from('xxabcyy');
const none = { bytes, at: 2, end: 2, chunked: false, last: true };

describe('a stretch of a body leaves', () => {
  it.each([
    ['as it is, behind the head', 'H', { at: 2, end: 5, chunked: false, last: true }, 'Habc'],
    ['as it is, without a head', '', { at: 2, end: 5, chunked: false, last: false }, 'abc'],
    ['as a chunk', 'H', { at: 2, end: 5, chunked: true, last: false }, 'H3\r\nabc\r\n'],
    [
      'as a chunk and the last one',
      '',
      { at: 2, end: 5, chunked: true, last: true },
      '3\r\nabc\r\n0\r\n\r\n',
    ],
    ['as the last chunk alone', '', { at: 2, end: 2, chunked: true, last: true }, '0\r\n\r\n'],
    // A chunk of size 0 would end the body.
    ['as nothing when it is empty and not the last', '', { at: 2, end: 2, chunked: true, last: false }, ''],
    ['as the head alone when none of it has come', 'H', { at: 2, end: 2, chunked: true, last: false }, 'H'],
  ])('%s', (_, head, payload, written) => {
    expect(assemble(head, { bytes, ...payload }).toString('latin1')).toBe(written);
  });
});
