/** The codec driven as the relay drives it: bytes in pieces, messages out, and the bytes that would be relayed. */

import { BodyReader } from '../../../src/message/body-framing.ts';
import { BROKEN, INCOMPLETE } from '../../../src/message/field-section.ts';
import { HeadBuffer } from '../../../src/message/head-buffer.ts';
import {
  assemble,
  writeRequestEnd,
  writeRequestStart,
  writeResponseHead,
} from '../../../src/message/head-writer.ts';
import type { RefusalName } from '../../../src/message/message-reasons.ts';
import { parseRequestHead, type RequestHead } from '../../../src/message/request.ts';
import { parseResponseHead, type ResponseHead } from '../../../src/message/response.ts';

export const limits = { head: 16 * 1024, fields: 100, body: 1024 * 1024 };

export const authority = 'upstream.test:8080';

/** The gateway's fields about the client; a client must not set these names. */
export const identity =
  'Client-Cert: :AAAA:\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nX-Request-Id: c1.1\r\n';

/** `end` and `forwarded` grow while the message comes; text is latin1, one character a byte. */
export interface CodecMessage<Head> {
  readonly head: Head;
  /** Index of the message's first byte, and after its last so far. */
  readonly start: number;
  end: number;
  body: string;
  /** The bytes that the other side would receive. */
  forwarded: string;
  complete: boolean;
}

export interface CodecReading<Head> {
  readonly messages: readonly CodecMessage<Head>[];
  /** Why the bytes after them were refused; null if they were not. */
  readonly refusal: RefusalName | 'bad_answer' | null;
}

interface Frame {
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  readonly length: number;
  /** Whether the body is relayed in chunks. */
  readonly chunked: boolean;
  /** The head as it is relayed. */
  readonly text: string;
  /** Nothing is read after this message. */
  readonly last: boolean;
}

interface Side<Head> {
  readonly skipEmptyLine?: boolean;
  readonly parse: (text: string) => Head | RefusalName | 'bad_answer';
  readonly frame: (head: Head) => Frame;
}

/** Requests as one connection's downstream reads them, up to the first that is its last or is refused. */
export function readRequests(pieces: readonly Buffer[]): CodecReading<RequestHead> {
  return new Reading<RequestHead>({
    skipEmptyLine: true,
    parse: (text) => {
      const head = parseRequestHead(text, limits);
      return head.kind === 'refused' ? head.refusal : head;
    },
    frame: (head) => ({
      framing: head.framing,
      length: head.length,
      chunked: head.framing === 'chunked',
      text: writeRequestStart(head, authority) + identity + writeRequestEnd(head),
      last: !head.keepAlive,
    }),
  }).read(pieces);
}

interface AnswerOptions {
  /** The request was HEAD. */
  readonly toHead: boolean;
  /** The request was HTTP/1.`minor`. */
  readonly minor: 0 | 1;
  /** The host closed its connection after the bytes. */
  readonly ended: boolean;
}

/** The response to one request, with interim responses before it, as the exchange reads and sends them. */
export function readAnswer(pieces: readonly Buffer[], options: AnswerOptions): CodecReading<ResponseHead> {
  const { toHead, minor, ended } = options;
  const reading = new Reading<ResponseHead>({
    parse: (text) => {
      const head = parseResponseHead(text, { toHead, maxFields: limits.fields });
      return 'fault' in head || head.status === 101 ? 'bad_answer' : head;
    },
    frame: (head) => {
      const interim = head.status < 200;
      const chunked = !interim && minor === 1 && (head.framing === 'chunked' || head.framing === 'close');
      const sent = !interim || (head.status !== 100 && minor === 1);
      const text = sent ? writeResponseHead(head, { chunked, close: !interim && minor === 0 }) : '';
      return { framing: head.framing, length: head.length, chunked, text, last: !interim };
    },
  });
  return reading.read(pieces, ended);
}

class Reading<Head extends object> implements CodecReading<Head> {
  readonly messages: CodecMessage<Head>[] = [];
  refusal: RefusalName | 'bad_answer' | null = null;

  readonly #side: Side<Head>;
  readonly #intake: HeadBuffer;
  readonly #reader = new BodyReader();
  #frame: Frame | null = null;
  /** Bytes in all pieces so far. */
  #offset = 0;

  constructor(side: Side<Head>) {
    this.#side = side;
    this.#intake = new HeadBuffer({ skipEmptyLine: side.skipEmptyLine ?? false });
  }

  read(pieces: readonly Buffer[], ended = false): this {
    for (const piece of pieces) {
      this.#offset += piece.length;
      // A copy: the reader overwrites framing in place.
      if (!this.#readPiece(Buffer.from(piece))) return this;
    }
    if (ended && this.#frame?.framing === 'close') {
      this.#reader.close();
      this.#body(Buffer.alloc(0), 0, 0);
    }
    return this;
  }

  /** Returns false when nothing more is read. */
  #readPiece(bytes: Buffer): boolean {
    let at = 0;
    let end = bytes.length;
    while (at < end) {
      if (this.#frame === null) {
        const found = this.#intake.append(bytes, at, end);
        if (found === INCOMPLETE) return true;
        if (found === BROKEN) return this.#refuse('line_end');
        const head = this.#side.parse(this.#intake.text(found));
        if (typeof head === 'string') return this.#refuse(head);
        const start = this.#offset - (this.#intake.end - this.#intake.start);
        ({ bytes, end } = this.#intake);
        at = found;
        this.#begin(head, start);
      }
      at = this.#body(bytes, at, end);
      if (this.#reader.fault !== null) return this.#refuse(this.#reader.fault);
      if (this.#reader.done) {
        if (this.#frame?.last) return false;
        this.#frame = null;
      }
    }
    return true;
  }

  #begin(head: Head, start: number): void {
    this.#frame = this.#side.frame(head);
    const { framing, length } = this.#frame;
    this.messages.push({ head, start, end: start, body: '', forwarded: '', complete: false });
    this.#reader.start(framing, { length, limits });
  }

  /** Bytes that arrive together with an error are not relayed. */
  #body(bytes: Buffer, at: number, end: number): number {
    const message = this.messages.at(-1) as CodecMessage<Head>;
    const { text, chunked } = this.#frame as Frame;
    const next = this.#reader.read(bytes, at, end);
    const { payloadEnd, done, fault } = this.#reader;
    if (fault !== null) return next;
    const payload = { bytes, at, end: payloadEnd, chunked, last: done };
    message.body += bytes.toString('latin1', at, payloadEnd);
    message.forwarded += assemble(message.forwarded === '' ? text : '', payload).toString('latin1');
    message.end = this.#offset - (end - next);
    message.complete = done;
    return next;
  }

  #refuse(refusal: RefusalName | 'bad_answer'): false {
    this.refusal = refusal;
    return false;
  }
}
