import { describe, expect, it } from 'vitest';
import type { FieldRule } from '../../src/message/field-forwarding.ts';
import { BROKEN, findHeadEnd, INCOMPLETE, readFields } from '../../src/message/field-section.ts';

function endOf(text: string): number {
  const bytes = Buffer.from(text, 'latin1');
  return findHeadEnd(bytes, { start: 0, from: 0, end: bytes.length });
}

describe('the end of a head', () => {
  it.each([
    ['is after the first empty line', 'GET / HTTP/1.1\r\nHost: a\r\n\r\nGET', 27],
    ['is after the request line when there are no fields', 'GET / HTTP/1.1\r\n\r\n', 18],
    ['is not there yet', 'GET / HTTP/1.1\r\nHost: a\r\n', INCOMPLETE],
    ['is not there yet with a CR last', 'GET / HTTP/1.1\r\nHost: a\r\n\r', INCOMPLETE],
    ['is not there yet in nothing', '', INCOMPLETE],
    ['does not come with a bare LF', 'GET / HTTP/1.1\nHost: a\r\n\r\n', BROKEN],
    ['does not come with a bare LF as the empty line', 'GET / HTTP/1.1\r\n\n', BROKEN],
    ['does not come with a LF first', '\nGET / HTTP/1.1\r\n\r\n', BROKEN],
    ['does not come with a bare CR', 'GET / HTTP/1.1\r\nX: a\rb\r\n\r\n', BROKEN],
    ['does not come with two CRs', 'GET / HTTP/1.1\r\r\n\r\n', BROKEN],
    ['does not come with a NUL', 'GET / HTTP/1.1\r\nX: a\0b\r\n\r\n', BROKEN],
    ['is before a bare LF in the body', 'A\r\n\r\n\n', 5],
  ])('%s', (_, text, end) => {
    expect(endOf(text)).toBe(end);
  });

  it('is not found in bytes before the head', () => {
    const bytes = Buffer.from('0\r\n\r\nGET / HTTP/1.1\r\n\r\n');
    expect(findHeadEnd(bytes, { start: 5, from: 5, end: bytes.length })).toBe(bytes.length);
    expect(findHeadEnd(Buffer.from('\r\n\r\n'), { start: 1, from: 1, end: 4 })).toBe(BROKEN);
  });

  it('is not found in bytes after `end`', () => {
    expect(findHeadEnd(Buffer.from('A\r\n\r\n'), { start: 0, from: 0, end: 4 })).toBe(INCOMPLETE);
  });
});

const rules: Record<string, FieldRule> = {
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  Host: 'host',
  Connection: 'connection',
  'Content-Length': 'content-length',
  'Transfer-Encoding': 'transfer-encoding',
  Expect: 'expect',
  Gone: 'drop',
};

function section(...lines: string[]) {
  const text = `${lines.join('\r\n')}\r\n\r\n`;
  return readFields(text, {
    at: 0,
    end: text.length - 2,
    maxFields: 5,
    rule: (name) => rules[name] ?? 'pass',
  });
}

describe('field lines', () => {
  it('are parsed without the white space around their values, and with that inside', () => {
    expect(section('A:1', 'B: \t 2 \t3\t ', 'C:', 'D: \t')).toMatchObject({
      fields: 'A: 1\r\nB: 2 \t3\r\nC: \r\nD: \r\n',
    });
  });

  it('keep their order, whether or not they are forwarded unchanged', () => {
    const text = 'A: 1\r\nB: 2\r\nGone: x\r\nC:3\r\nD: 4\r\n';
    expect(section(...text.trimEnd().split('\r\n'))).toMatchObject({
      fields: 'A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n',
    });
  });

  it('may have colons, quotes and obs-text in their values', () => {
    expect(section('A: b:c', 'B: "\xe9\xff"')).toMatchObject({ fields: 'A: b:c\r\nB: "\xe9\xff"\r\n' });
  });

  it('may be absent', () => {
    expect(readFields('\r\n', { at: 0, end: 0, maxFields: 5, rule: () => 'pass' })).toMatchObject({
      fields: '',
    });
  });

  it('follow their rules', () => {
    expect(section('Gone: 1', 'Host: a', 'Expect: x', 'Content-Length: 3', 'Kept: 1')).toEqual({
      fields: 'Kept: 1\r\n',
      host: 'a',
      expect: 'x',
      length: 3,
      chunked: false,
      close: false,
      keepAlive: false,
      idleSeconds: -1,
      traceparent: null,
      tracestate: null,
    });
  });

  it('return at most one traceparent, and all tracestate fields as one list', () => {
    expect(section('traceparent: a', 'tracestate: b', 'Kept: 1', 'tracestate: c')).toMatchObject({
      fields: 'Kept: 1\r\n',
      traceparent: 'a',
      tracestate: 'b,c',
    });
    expect(section('traceparent: a', 'traceparent: a')).toMatchObject({ traceparent: '' });
    expect(section('Connection: traceparent', 'traceparent: a', 'tracestate: b')).toMatchObject({
      traceparent: null,
      tracestate: 'b',
    });
    expect(section('tracestate: b', 'Connection: tracestate')).toMatchObject({ tracestate: null });
  });

  it('are removed if Connection names them, whichever comes first', () => {
    expect(section('A: 1', 'Connection: a, Close', 'B: 2', 'Connection: b', 'C: 3')).toMatchObject({
      fields: 'C: 3\r\n',
      close: true,
    });
  });

  it.each([
    ['field_count', ['A: 1', 'A: 1', 'A: 1', 'A: 1', 'A: 1', 'A: 1']],
    ['line_folding', [' A: 1']],
    ['line_folding', ['A: 1', '\t1']],
    ['field_name', ['A']],
    ['field_name', ['A : 1']],
    ['field_name', [': 1']],
    ['field_name', ['(A): 1']],
    ['field_value', ['A: \x00']],
    ['field_value', ['A: \x08']],
    ['field_value', ['A: 1\x0c']],
    ['field_value', ['A: \x7f']],
    ['host', ['Host: a', 'Host: a']],
    ['content_length', ['Content-Length: 1', 'Content-Length: 1']],
    ['content_length', ['Content-Length: x']],
    ['transfer_encoding', ['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked']],
    ['transfer_encoding', ['Transfer-Encoding: chunked', 'Content-Length: 1']],
    ['transfer_encoding', ['Content-Length: 0', 'Transfer-Encoding: chunked']],
    ['transfer_encoding', ['Transfer-Encoding: xchunked']],
    ['connection_names', ['Connection: content-type']],
  ])('are refused as %s: %j', (refusal, lines) => {
    expect(section(...lines)).toBe(refusal);
  });
});
