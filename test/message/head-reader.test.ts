import { describe, expect, it } from 'vitest';
import { RequestReader, ResponseHeadCache, ResponseReader } from '../../src/message/head-reader.ts';
import { messageRefusals } from '../../src/message/message-reasons.ts';

const limits = {
  head: 64,
  fields: 10,
  body: 1000,
  connections: 1,
  connectionsPerAddress: 1,
  unfinishedHandshakes: 1,
  unfinishedHandshakesPerAddress: 1,
  handshakeBytes: 16_384,
  certificateBytes: 1,
  handshakeRate: 1,
  delay: 1,
  smallRecords: 2000,
  inFlightPerClient: 1,
  heldBodies: 1,
};

/** A request whose head has `size` bytes, most of them in its target or in a field. */
function request(size: number, where: 'target' | 'field'): string {
  const padding = 'a'.repeat(size - 'GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n'.length);
  const [target, value] = where === 'target' ? [padding, ''] : ['', padding];
  return `GET /${target} HTTP/1.1\r\nHost: a\r\nX: ${value}\r\n\r\n`;
}

/** The first result of the reader for the pieces that is not null. */
function read(...pieces: string[]) {
  const reader = new RequestReader();
  for (const piece of pieces) {
    const bytes = Buffer.from(piece, 'latin1');
    const head = reader.read({ bytes, at: 0, end: bytes.length }, limits);
    const { rest } = reader;
    if (head !== null) return { head, rest: rest.bytes.toString('latin1', rest.at, rest.end) };
  }
  return null;
}

describe('a request’s head', () => {
  it.each(['target', 'field'] as const)('may be as long as the limit: in a %s', (where) => {
    expect(read(`${request(64, where)}body`)).toMatchObject({ head: { kind: 'request' }, rest: 'body' });
  });

  it.each([
    ['431 when a field makes it so', 'field', 'head_length', 431],
    ['414 when the request line alone is', 'target', 'target_length', 414],
  ] as const)('that is too long is refused with %s, wherever the cut is', (_, where, refusal, status) => {
    const text = request(where === 'target' ? 99 : 65, where);
    for (let cut = 0; cut <= text.length; cut++) {
      const refused = read(text.slice(0, cut), text.slice(cut));
      expect([cut, refused?.head]).toMatchObject([cut, { kind: 'refused', refusal }]);
    }
    expect(messageRefusals[refusal].status).toBe(status);
  });

  it('that is too long is refused before it is complete', () => {
    expect(read('GET / HTTP/1.1\r\nX: ', 'a'.repeat(46))).toMatchObject({ head: { refusal: 'head_length' } });
    expect(read('GET /', 'a'.repeat(60))).toMatchObject({ head: { refusal: 'target_length' } });
    expect(read('GET / HTTP/1.1\r\nX: ', 'a'.repeat(45))).toBe(null);
  });

  it.each([
    ['that is a token is one that is not known', 'A'.repeat(99), 'method', 501],
    ['that is not even a token makes no request line', '{'.repeat(99), 'request_line', 400],
    ['that ends before the limit leaves the target too long', `GET /${'a'.repeat(99)}`, 'target_length', 414],
  ] as const)('with a method beyond the limit %s, wherever the cut is', (_, text, refusal, status) => {
    for (let cut = 0; cut <= text.length; cut++) {
      const refused = read(text.slice(0, cut), text.slice(cut));
      expect([cut, refused?.head]).toMatchObject([cut, { kind: 'refused', refusal }]);
    }
    expect(messageRefusals[refusal].status).toBe(status);
  });

  it('may follow one empty line, which counts towards no limit, wherever the cut is', () => {
    const text = `\r\n${request(64, 'target')}body`;
    for (let cut = 0; cut < text.length - 'body'.length; cut++) {
      expect([cut, read(text.slice(0, cut), text.slice(cut))]).toMatchObject([
        cut,
        { head: { kind: 'request' }, rest: 'body' },
      ]);
    }
  });

  it.each([
    ['two empty lines', '\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'request_line'],
    ['a bare LF', '\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'line_end'],
    ['a bare CR', '\rGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'line_end'],
    ['two CRs', '\r\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'line_end'],
    ['a space', ' \r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n', 'request_line'],
  ])('is refused with %s before it, wherever the cut is', (_, text, refusal) => {
    for (let cut = 0; cut <= text.length; cut++) {
      expect([cut, read(text.slice(0, cut), text.slice(cut))?.head]).toMatchObject([cut, { refusal }]);
    }
  });

  it('has not begun with an empty line, and every head may follow one', () => {
    const reader = new RequestReader();
    const offer = (text: string) => {
      const bytes = Buffer.from(text, 'latin1');
      const head = reader.read({ bytes, at: 0, end: bytes.length }, limits);
      return [head?.kind ?? null, reader.begun];
    };
    const whole = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
    for (let round = 0; round < 2; round++) {
      expect([offer('\r'), offer('\n'), offer('G')]).toEqual([
        [null, false],
        [null, false],
        [null, true],
      ]);
      expect(offer(whole.slice(1))).toEqual(['request', false]);
      expect(offer(`\r\n${whole}`)).toEqual(['request', false]);
    }
  });

  it('with a bare LF is refused as soon as the LF is there', () => {
    expect(read('GET / HTTP/1.1\n')).toMatchObject({
      head: { refusal: 'line_end', method: null, path: null },
    });
  });
});

describe('a response head', () => {
  function answer(text: string) {
    const bytes = Buffer.from(text, 'latin1');
    return new ResponseReader().read({ bytes, at: 0, end: bytes.length }, { toHead: false, limits });
  }

  it('may be as long as the limit, and is malformed beyond it', () => {
    const text = (padding: number) => `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(padding)}\r\n\r\n`;
    expect(answer(text(40))).toMatchObject({ status: 200 });
    expect(text(40)).toHaveLength(64);
    expect([answer(text(41)), answer(text(41).slice(0, -4)), answer('HTTP/1.1 200')]).toEqual([
      { fault: 'host_head_too_large', cause: 'head_length' },
      null,
      null,
    ]);
  });

  it.each([
    ['HTTP/1.1 200 OK\n', 'line_end'],
    ['HTTP/2 200\r\n\r\n', 'status_line'],
    ['nonsense\r\n\r\n', 'status_line'],
    ['\r\nHTTP/1.1 200 OK\r\n\r\n', 'status_line'],
  ])('%j is malformed', (text, cause) => {
    expect(answer(text)).toEqual({ fault: 'bad_answer', cause });
  });

  it('is followed by the rest of the bytes, and discarded on reset', () => {
    const reader = new ResponseReader();
    const options = { toHead: false, limits };
    const offer = (text: string) =>
      reader.read({ bytes: Buffer.from(text), at: 0, end: text.length }, options);
    expect(offer('HTTP/1.1 103 x\r\n\r\nHTTP/')).toMatchObject({ status: 103 });
    expect(reader.rest.bytes.toString('latin1', reader.rest.at, reader.rest.end)).toBe('HTTP/');
    expect(offer('HTTP/')).toBe(null);
    reader.reset();
    expect(offer('HTTP/1.1 204 x\r\n\r\n')).toMatchObject({ status: 204 });
  });

  it('that is repeated is taken from the cache, and any other is parsed', () => {
    const headCache = new ResponseHeadCache();
    const offer = (text: string, asked = { toHead: false, limits }) => {
      // The bytes are overwritten afterwards, as those of a connection are; each head has a new reader.
      const bytes = Buffer.from(text, 'latin1');
      const head = new ResponseReader().read({ bytes, at: 0, end: bytes.length }, { ...asked, headCache });
      bytes.fill(0);
      return head;
    };
    const text = (length: number) => `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
    const first = offer(text(5));
    expect(first).toMatchObject({ framing: 'length', length: 5 });
    expect(offer(text(5))).toBe(first);
    expect(offer(text(6))).toMatchObject({ framing: 'length', length: 6 });
    expect(offer(text(6), { toHead: true, limits })).toMatchObject({ framing: 'none', length: 6 });
    expect(offer(text(6))).toMatchObject({ framing: 'length', length: 6 });
    expect(offer(text(6), { toHead: false, limits: { head: 64, fields: 0 } as typeof limits })).toEqual({
      fault: 'host_head_too_large',
      cause: 'field_count',
    });
    expect(offer(text(6))).toMatchObject({ framing: 'length', length: 6 });
    const long = `HTTP/1.1 200 OK\r\nX: ${'a'.repeat(600)}\r\n\r\n`;
    const wide = { toHead: false, limits: { ...limits, head: 1024 } };
    expect(offer(long, wide)).toMatchObject({ status: 200 });
    expect(offer(long, wide)).not.toBe(offer(long, wide));
    expect(offer(text(6))).toMatchObject({ framing: 'length', length: 6 });
  });
});
