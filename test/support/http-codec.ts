/** The codec driven as the relay drives it: bytes in pieces, messages out, and what would be sent on of them. */
import { BodyReader } from '../../src/message/framing.ts';
import { HeadIntake } from '../../src/message/intake.ts';
import type { RefusalName } from '../../src/message/refusal.ts';
import { parseRequestHead, type RequestHead } from '../../src/message/request.ts';
import { parseResponseHead, type ResponseHead } from '../../src/message/response.ts';
import { BROKEN, INCOMPLETE } from '../../src/message/section.ts';
import { assemble, writeRequestEnd, writeRequestStart, writeResponseHead } from '../../src/message/write.ts';

export const limits = { head: 16 * 1024, fields: 100, body: 1024 * 1024 };

export const authority = 'upstream.test:8080';

/** What the gateway says of the caller; the names are the ones no client may say. */
export const identity =
  'Client-Cert: :AAAA:\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Request-Id: c1.1\r\n';

/** `end` and `forwarded` grow while the message comes; text is latin1, one character a byte. */
export interface CodecMessage<Head> {
  readonly head: Head;
  /** Index of the message's first byte, and after its last so far. */
  readonly start: number;
  end: number;
  body: string;
  /** What the other side would get. */
  forwarded: string;
  complete: boolean;
}

export interface CodecReading<Head> {
  readonly messages: readonly CodecMessage<Head>[];
  /** Why the bytes after them were refused; null: they were not. */
  readonly refusal: RefusalName | 'bad_answer' | null;
}

interface Frame {
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  readonly length: number;
  /** How the body leaves. */
  readonly chunked: boolean;
  /** What leaves before it. */
  readonly text: string;
  /** No message follows. */
  readonly last: boolean;
}

interface Side<Head> {
  readonly parse: (text: string) => Head | RefusalName | 'bad_answer';
  readonly frame: (head: Head) => Frame;
  readonly bodyLimit: number;
}

function read<Head extends object>(pieces: readonly Buffer[], side: Side<Head>): CodecReading<Head> {
  const messages: CodecMessage<Head>[] = [];
  const intake = new HeadIntake();
  const reader = new BodyReader();
  let message: CodecMessage<Head> | null = null;
  let frame: Frame | null = null;
  let offset = 0;
  for (const piece of pieces) {
    offset += piece.length;
    // The reader overwrites framing in place.
    let bytes: Buffer = Buffer.from(piece);
    let at = 0;
    let end = bytes.length;
    while (at < end) {
      let text = '';
      if (message === null || frame === null) {
        if (messages.length > 0 && messages.at(-1)?.complete && lastFrame(frame)) return { messages, refusal: null };
        const found = intake.offer(bytes, at, end);
        if (found === BROKEN) return { messages, refusal: 'line_end' };
        if (found === INCOMPLETE) break;
        const start = offset - (intake.end - intake.start);
        const head = side.parse(intake.text(found));
        if (typeof head === 'string') return { messages, refusal: head };
        ({ bytes, end } = intake);
        at = found;
        frame = side.frame(head);
        text = frame.text;
        message = { head, start, end: 0, body: '', forwarded: '', complete: false };
        messages.push(message);
        reader.start(frame.framing, { length: frame.length, limits: { ...limits, body: side.bodyLimit } });
      }
      const next = reader.read(bytes, at, end);
      if (reader.fault !== null) return { messages, refusal: reader.fault };
      const payload = { bytes, at, end: reader.payloadEnd, chunked: frame.chunked, last: reader.done };
      message.body += bytes.latin1Slice(at, payload.end);
      if (text !== '' || payload.end > at || (payload.chunked && payload.last)) {
        message.forwarded += assemble(text, payload).latin1Slice();
      }
      at = next;
      message.end = offset - (end - at);
      message.complete = reader.done;
      if (reader.done) {
        if (frame.last) return { messages, refusal: null };
        message = null;
      }
    }
  }
  return { messages, refusal: null };
}
