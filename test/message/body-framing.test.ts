import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BodyFault, BodyReader, chunkHead, lastChunk } from '../../src/message/body-framing.ts';

const limits = { body: 100, head: 60, fields: 2 };

type Framing = Parameters<BodyReader['start']>[0];

interface Outcome {
  readonly payload: string;
  /** Bytes of the stream that belong to the body. */
  readonly taken: number;
  readonly done: boolean;
  readonly fault: BodyFault | null;
}

/** Reads `text`, cut at the given places. */
function read(framing: Framing, text: string, { length = 0, cuts = [] as readonly number[] } = {}): Outcome {
  const reader = new BodyReader();
  reader.start(framing, { length, limits });
  const bytes = Buffer.from(text, 'latin1');
  let payload = '';
  let taken = 0;
  const ends = [...cuts, bytes.length];
  for (const [index, end] of ends.entries()) {
    const piece = Buffer.from(bytes.subarray(cuts[index - 1] ?? 0, end));
    if (reader.done || reader.fault !== null || piece.length === 0) continue;
    const next = reader.read(piece, 0, piece.length);
    payload += piece.toString('latin1', 0, reader.payloadEnd);
    taken += next;
  }
  return { payload, taken, done: reader.done, fault: reader.fault };
}

function chunked(...payloads: string[]): string {
  return `${payloads.map((payload) => `${chunkHead(payload.length)}${payload}\r\n`).join('')}${lastChunk}`;
}

describe('a body', () => {
  it.each<[string, Framing, string, number, Outcome]>([
    ['of no framing takes nothing', 'none', 'GET', 9, { payload: '', taken: 0, done: true, fault: null }],
    ['of length 0 takes nothing', 'length', 'GET', 0, { payload: '', taken: 0, done: true, fault: null }],
    [
      'with a length takes as much',
      'length',
      'abcGET',
      3,
      { payload: 'abc', taken: 3, done: true, fault: null },
    ],
    [
      'with a length waits for the rest',
      'length',
      'ab',
      3,
      { payload: 'ab', taken: 2, done: false, fault: null },
    ],
    [
      'until close takes all',
      'close',
      'a\r\n\r\nb',
      0,
      { payload: 'a\r\n\r\nb', taken: 6, done: false, fault: null },
    ],
  ])('%s', (_, framing, text, length, outcome) => {
    expect(read(framing, text, { length })).toEqual(outcome);
  });

  it('until close is done when the connection closes, and no other body is', () => {
    const reader = new BodyReader();
    reader.start('close', { length: 0, limits });
    reader.close();
    expect(reader.done).toBe(true);
    reader.start('length', { length: 3, limits });
    reader.close();
    expect(reader.done).toBe(false);
  });

  it.each<[string, string, string]>([
    ['one chunk', chunked('abc'), 'abc'],
    ['several chunks', chunked('abc', '\r\n0\r\n\r\n', 'd'), 'abc\r\n0\r\n\r\nd'],
    ['no chunks', lastChunk, ''],
    ['sizes in upper case', 'A\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
    ['sizes in lower case', 'a\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
    ['sizes of 8 digits', '00000003\r\nabc\r\n00000000\r\n\r\n', 'abc'],
    ['a trailer', '1\r\na\r\n0\r\nX-Digest: b\r\n\r\n', 'a'],
    ['extensions', '3;a;b=c;d="e f\\"\\\\;\t\xe9"\r\nabc\r\n0;last\r\n\r\n', 'abc'],
    ['extensions to the limit', `1;${'a'.repeat(29)}\r\nx\r\n0;${'b'.repeat(29)}\r\n\r\n`, 'x'],
    ['trailers to the limit', '0\r\nA: 1\r\nB:\r\n\r\n', ''],
  ])('in chunks is its payload alone: %s', (_, text, payload) => {
    const whole = read('chunked', `${text}GET / HTTP/1.1`);
    expect(whole).toEqual({ payload, taken: text.length, done: true, fault: null });
  });
});

describe('a chunked body is refused', () => {
  const cases: [title: string, text: string, fault: BodyFault][] = [
    ['with an extension without a name', '3;\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with an extension without a size', ';a\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with an extension whose value is missing', '3;a=\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with white space before an extension', '3 ;a\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with white space in an extension', '3; a\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with white space behind an extension', '3;a=b \r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with another character in an extension', '3;a(b\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with another character in an extension’s value', '3;a=b(\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with a bare LF in an extension', '3;a\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with a bare CR in an extension', '3;a\rabc\r\n0\r\n\r\n', 'chunk'],
    ['with a line break in quotes', '3;a="\r\n"\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with an escaped line break in quotes', '3;a="\\\r\n"\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with something behind quotes', '3;a="b"c\r\nabc\r\n0\r\n\r\n', 'chunk'],
    [
      'with extensions that are together too long',
      `1;${'a'.repeat(30)}\r\nx\r\n1;${'b'.repeat(30)}`,
      'chunk',
    ],
    ['with a bare LF after the size', '3\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with a bare CR after the size', '3\rabc\r\n0\r\n\r\n', 'chunk'],
    ['with a space after the size', '3 \r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with a space before the size', ' 3\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with a tab after the size', '3\t\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with a size of 9 digits', '000000003\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with a last chunk of 9 digits', '000000000\r\n\r\n', 'chunk'],
    ['with a size that wraps around 32 bits', '100000003\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['without a size', '\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with `0x`', '0x3\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with a sign', '-3\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with a letter beyond f', 'g\r\n', 'chunk'],
    ['with a chunk longer than its size', '3\r\nabcd\r\n0\r\n\r\n', 'chunk'],
    ['with a chunk shorter than its size', '3\r\nab\r\n0\r\n\r\n', 'chunk'],
    ['with a bare LF after a chunk', '3\r\nabc\n0\r\n\r\n', 'chunk'],
    ['with a bare CR after a chunk', '3\r\nabc\r0\r\n\r\n', 'chunk'],
    ['with another byte for the LF after the size', '3\rXabc\r\n0\r\n\r\n', 'chunk'],
    ['with another byte for the CR after a chunk', '3\r\nabcX\n0\r\n\r\n', 'chunk'],
    ['with another byte for the LF after a chunk', '3\r\nabc\rX0\r\n\r\n', 'chunk'],
    ['with a NUL in the size line', '3\0\r\nabc\r\n0\r\n\r\n', 'chunk'],
    ['with a request behind the last size', '0\r\nGET / HTTP/1.1\r\n\r\n', 'trailer'],
    ['with a folded trailer', '0\r\nA: 1\r\n 2\r\n\r\n', 'trailer'],
    ['with a space before a trailer’s colon', '0\r\nA : 1\r\n\r\n', 'trailer'],
    ['with a trailer without a name', '0\r\n: 1\r\n\r\n', 'trailer'],
    ['with a trailer without a colon', '0\r\nA\r\n\r\n', 'trailer'],
    ['with a control character in a trailer', '0\r\nA: \x01\r\n\r\n', 'trailer'],
    ['with a bare LF after a trailer', '0\r\nA: 1\n\r\n', 'trailer'],
    ['with a bare CR after a trailer', '0\r\nA: 1\rB: 2\r\n\r\n', 'trailer'],
    ['with a bare LF as the last line', '0\r\n\n', 'trailer'],
    ['with a bare CR as the last line', '0\r\n\rX', 'trailer'],
    ['with more trailers than the limit', '0\r\nA: 1\r\nB: 1\r\nC: 1\r\n\r\n', 'trailer'],
    ['with longer trailers than the limit', `0\r\nA: ${'1'.repeat(60)}\r\n\r\n`, 'trailer'],
    ['with Content-Length as a trailer', '0\r\nContent-Length: 3\r\n\r\n', 'trailer'],
    ['with Transfer-Encoding as a trailer', '0\r\nA: 1\r\ntransfer-encoding: chunked\r\n\r\n', 'trailer'],
    ['with Connection as a trailer', '0\r\nConnection: close\r\n\r\n', 'trailer'],
    ['with Host as a trailer', '0\r\nHOST: b\r\n\r\n', 'trailer'],
    ['with a chunk longer than the body may be', '65\r\n', 'body_length'],
    ['with the longest size there is', 'ffffffff\r\n', 'body_length'],
    [
      'with chunks that are together too long',
      `${'32\r\n'.concat('a'.repeat(50), '\r\n').repeat(2)}1\r\n`,
      'body_length',
    ],
  ];

  it.each(cases)('%s', (_, text, fault) => {
    expect(read('chunked', text)).toMatchObject({ done: false, fault });
  });

  it.each(cases)('%s, wherever the cut is', (_, text, fault) => {
    const { payload } = read('chunked', text);
    for (let cut = 0; cut <= text.length; cut++) {
      expect([cut, read('chunked', text, { cuts: [cut] })]).toMatchObject([
        cut,
        { payload, done: false, fault },
      ]);
    }
  });

  it('without reading anything after the fault', () => {
    expect(read('chunked', '1\r\na\r\n=\r\n0\r\n\r\n')).toEqual({
      payload: 'a',
      taken: 7,
      done: false,
      fault: 'chunk',
    });
  });
});

describe('the limit of a body', () => {
  it('applies to bodies until close and to chunks, to the byte', () => {
    const full = 'a'.repeat(100);
    expect(read('close', full).fault).toBe(null);
    expect(read('close', `${full}a`).fault).toBe('body_length');
    expect(read('chunked', chunked(full)).fault).toBe(null);
    expect(read('chunked', chunked(full, 'a')).fault).toBe('body_length');
    expect(read('length', `${full}a`, { length: 101 }).fault).toBe('body_length');
  });

  it('applies to each body separately', () => {
    const reader = new BodyReader();
    for (let turn = 0; turn < 3; turn++) {
      reader.start('chunked', { length: 0, limits });
      const bytes = Buffer.from(
        `${'00000050\r\n'}${'a'.repeat(80)}\r\n0\r\nA: 1\r\nB: ${'b'.repeat(40)}\r\n\r\n`,
      );
      reader.read(bytes, 0, bytes.length);
      expect([reader.fault, reader.done, reader.received]).toEqual([null, true, 80]);
    }
  });
});

describe('the payload', () => {
  const stream = `${chunked('abc', 'd', '\r\n0\r\n\r\n').slice(0, -2)}X: 1\r\nY: \r\n\r\n`;

  it('is the same in two or three pieces, wherever the cuts are', () => {
    const whole = read('chunked', stream);
    expect(whole).toMatchObject({ payload: 'abcd\r\n0\r\n\r\n', taken: stream.length, done: true });
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        expect(read('chunked', stream, { cuts: [first, second] })).toEqual(whole);
      }
    }
  });

  it('is the same byte by byte', () => {
    const cuts = Array.from({ length: stream.length - 1 }, (_, at) => at + 1);
    expect(read('chunked', stream, { cuts })).toEqual(read('chunked', stream));
  });

  it('of any bytes in any chunks and pieces is what was sent', () => {
    const latin1 = fc.string({
      unit: fc.nat({ max: 255 }).map((code) => String.fromCharCode(code)),
      maxLength: 20,
    });
    const payloads = fc.array(
      latin1.filter((text) => text !== ''),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(payloads, fc.array(fc.nat({ max: 200 })), (parts, marks) => {
        const text = chunked(...parts);
        const cuts = marks.filter((mark) => mark < text.length).sort((a, b) => a - b);
        const payload = parts.join('');
        expect(read('chunked', `${text}0\r\n`, { cuts })).toMatchObject({
          payload,
          taken: text.length,
          done: true,
        });
        const rest = { length: payload.length, cuts: cuts.filter((cut) => cut < payload.length) };
        expect(read('length', `${payload}0\r\n`, rest)).toMatchObject({
          payload,
          taken: payload.length,
          done: true,
        });
      }),
    );
  });

  it('begins at the first byte, and the bytes after the body are unchanged', () => {
    const reader = new BodyReader();
    reader.start('chunked', { length: 0, limits });
    const bytes = Buffer.from(`head${chunked('ab', 'cd')}GET / HTTP/1.1`);
    const next = reader.read(bytes, 4, bytes.length);
    expect(bytes.toString('latin1', 0, reader.payloadEnd)).toBe('headabcd');
    expect(bytes.toString('latin1', next)).toBe('GET / HTTP/1.1');
    expect(reader.received).toBe(4);
  });
});

it('writes sizes in hex without leading zeros', () => {
  expect([1, 10, 255, 65536].map(chunkHead)).toEqual(['1\r\n', 'a\r\n', 'ff\r\n', '10000\r\n']);
});
