import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BROKEN, INCOMPLETE } from '../../src/message/field-section.ts';
import { HeadBuffer } from '../../src/message/head-buffer.ts';

const head = 'POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n';
const rest = 'body\r\n\r\nGET';

interface Taken {
  readonly text: string;
  readonly rest: string;
}

/** Offers the pieces until the head is whole or broken; what follows it in the last offered piece counts as rest. */
function take(intake: HeadBuffer, pieces: readonly Buffer[]): Taken | typeof BROKEN | typeof INCOMPLETE {
  for (const piece of pieces) {
    const found = intake.append(piece, 0, piece.length);
    if (found === BROKEN) return BROKEN;
    if (found !== INCOMPLETE) {
      return { text: intake.text(found), rest: intake.bytes.toString('latin1', found, intake.end) };
    }
  }
  return INCOMPLETE;
}

function split(text: string, ...at: number[]): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  return [...at, bytes.length].map((to, index) => bytes.subarray(at[index - 1] ?? 0, to));
}

describe('a head', () => {
  it('that comes whole is looked at where it lies', () => {
    const bytes = Buffer.from(`xx${head}${rest}`);
    const intake = new HeadBuffer();
    const found = intake.append(bytes, 2, bytes.length);
    expect([found, intake.bytes, intake.start, intake.end]).toEqual([
      2 + head.length,
      bytes,
      2,
      bytes.length,
    ]);
    expect(intake.bytes).toBe(bytes);
    expect(intake.text(found)).toBe(head);
  });

  it('is the same in two pieces, wherever the cut is', () => {
    for (let at = 0; at <= head.length; at++) {
      const taken = take(new HeadBuffer(), split(head + rest, at));
      expect([at, taken]).toEqual([at, { text: head, rest: at === head.length ? '' : rest }]);
    }
  });

  it('is the same in three pieces, wherever the cuts are', () => {
    for (let first = 0; first < head.length; first++) {
      for (let second = first; second < head.length; second++) {
        expect(take(new HeadBuffer(), split(head + rest, first, second))).toEqual({ text: head, rest });
      }
    }
  });

  it('is the same byte by byte, also when it is long', () => {
    const long = `GET / HTTP/1.1\r\nHost: a\r\nX: ${'a'.repeat(5000)}\r\n\r\n`;
    const pieces = [...long].map((character) => Buffer.from(character, 'latin1'));
    expect(take(new HeadBuffer(), pieces)).toEqual({ text: long, rest: '' });
  });

  it('keeps its own copy: a piece may be overwritten once it was offered', () => {
    const intake = new HeadBuffer();
    const [first, second] = split(head, 20) as [Buffer, Buffer];
    expect(intake.append(first, 0, first.length)).toBe(INCOMPLETE);
    first.fill(0);
    expect(intake.text(intake.append(second, 0, second.length))).toBe(head);
  });

  it('keeps every byte from 0x80 to 0xff as one character', () => {
    const obsText = `GET / HTTP/1.1\r\nX: ${String.fromCharCode(...Array.from({ length: 128 }, (_, at) => at + 128))}\r\n\r\n`;
    expect(take(new HeadBuffer(), split(obsText, 50))).toEqual({ text: obsText, rest: '' });
  });

  it.each([
    ['a bare LF', 'GET / HTTP/1.1\nHost: a\r\n\r\n'],
    ['a bare CR', 'GET / HTTP/1.1\r\nX: \r1\r\n\r\n'],
    ['two CRs', 'GET / HTTP/1.1\r\r\n\r\n'],
    ['a NUL', 'GET / HTTP/1.1\r\nX: \0\r\n\r\n'],
  ])('with %s is broken, wherever the cut is', (_, text) => {
    for (let at = 0; at <= text.length; at++) {
      expect([at, take(new HeadBuffer(), split(text, at))]).toEqual([at, BROKEN]);
    }
  });
});

describe('an intake', () => {
  it('has begun with the first byte of a head, and not any more with its last', () => {
    const intake = new HeadBuffer();
    const [first, second] = split(head, 1) as [Buffer, Buffer];
    const begun = [intake.begun];
    intake.append(first, 0, first.length);
    begun.push(intake.begun);
    intake.append(second, 0, second.length);
    expect([...begun, intake.begun]).toEqual([false, true, false]);
  });

  it('forgets what it kept when it is reset', () => {
    const intake = new HeadBuffer();
    intake.append(Buffer.from('GET / HT'), 0, 8);
    intake.reset();
    expect(take(intake, split(head))).toEqual({ text: head, rest: '' });
  });

  it('takes head after head, in pieces of any size', () => {
    const size = fc.integer({ min: 1, max: 60 });
    fc.assert(
      fc.property(fc.array(size, { minLength: 1 }), fc.integer({ min: 1, max: 5 }), (sizes, count) => {
        const stream = Buffer.from(head.repeat(count));
        const intake = new HeadBuffer();
        const texts: string[] = [];
        for (let offset = 0, turn = 0; offset < stream.length; turn++) {
          let bytes: Buffer = Buffer.from(
            stream.subarray(offset, offset + (sizes[turn % sizes.length] ?? 1)),
          );
          offset += bytes.length;
          let at = 0;
          let end = bytes.length;
          while (at < end) {
            const found = intake.append(bytes, at, end);
            if (found === INCOMPLETE) break;
            texts.push(intake.text(found));
            ({ bytes, end } = intake);
            at = found;
          }
        }
        expect(texts).toEqual(Array.from({ length: count }, () => head));
      }),
    );
  });
});
