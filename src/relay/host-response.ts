/** The host's answer on its way to the client: read strictly, given its length where that is known in time, framed anew. */
import { BodyReader } from '../message/framing.ts';
import { type FamiliarHead, ResponseReader, type Span } from '../message/head-reader.ts';
import type { RequestHead } from '../message/request.ts';
import { type AnswerFaultName, hasContentType, type ResponseHead } from '../message/response.ts';
import { assemble, writeResponseHead } from '../message/write.ts';
import type { Limits } from '../policy/snapshot.ts';
import { Collection } from './response-buffer.ts';

/** Who sends the answer on. */
export interface AnswerSender {
  /** False: wait for the client's drain before more is sent. */
  send(bytes: Buffer): boolean;
  /** Whether the client's connection ends after the answer; asked when its head is written. */
  endsWithAnswer(): boolean;
  /** The host's FIN proves that its answer was not cut. */
  readonly finProves: boolean;
}

export interface AnswerWish {
  readonly request: RequestHead;
  readonly limits: Limits;
  /** As the route's `contentLength`. */
  readonly contentLength: 'ensure' | 'asis';
  /** Of the host that is asked. */
  readonly familiar: FamiliarHead;
}

export interface AnswerFault {
  readonly why: AnswerFaultName | 'unproven_end';
  /** For the log: a word of the gateway's own. */
  readonly cause: string;
}

/** How many bytes of a body may wait for its length: EHI's answers have a few hundred. */
const collected = 64 * 1024;
const unlimited = Number.MAX_SAFE_INTEGER;
const nothing = Buffer.alloc(0);

/** Made once a client's connection and used for its messages one after another. */
export class HostAnswer {
  /** null: it has not come yet. */
  head: ResponseHead | null = null;
  /** Part of it has left for the client: it cannot be replaced by an error any more. */
  begun = false;
  /** It has come whole, and was sent on. */
  complete = false;
  /** More came than belongs to it. */
  surplus = false;
  /** The client takes more now. */
  flowing = true;

  readonly #sender: AnswerSender;
  readonly #heads = new ResponseReader();
  readonly #body = new BodyReader();
  readonly #collection = new Collection();
  #wish: AnswerWish | null = null;
  #collecting = false;
  #chunked = false;

  constructor(sender: AnswerSender) {
    this.#sender = sender;
  }

  /** Payload bytes that came. */
  get received(): number {
    return this.#body.received;
  }

  /** It had a body, and nothing said what that was. */
  get untyped(): boolean {
    return this.head !== null && this.#body.received > 0 && !hasContentType(this.head);
  }

  /** The next answer; what came of the one before is forgotten. */
  begin(wish: AnswerWish): void {
    this.#wish = wish;
    this.head = null;
    this.begun = false;
    this.complete = false;
    this.surplus = false;
    this.#heads.reset();
  }

  /** Nothing more of it will come: what waits is let go of. */
  end(): void {
    this.#wish = null;
    this.#collection.take();
  }

  /** Bytes 0 to `end`, which may be written over afterwards; why the answer cannot be sent on, or null. */
  read(bytes: Buffer, end: number): AnswerFault | null {
    let rest: Span = { bytes, at: 0, end };
    this.flowing = true;
    const { request, limits, familiar } = this.#wish as AnswerWish;
    while (this.head === null) {
      if (rest.at === rest.end) return null;
      const head = this.#heads.read(rest, { toHead: request.method === 'HEAD', limits, familiar });
      if (head === null) return null;
      if ('fault' in head) return { why: head.fault, cause: head.cause };
      // No upgrade was asked for, so none can be agreed to.
      if (head.status === 101) return { why: 'bad_answer', cause: 'status 101' };
      rest = this.#heads.rest;
      if (head.status < 200) this.#passInterim(head);
      else if (head.framing === 'close' && !this.#sender.finProves) {
        return { why: 'unproven_end', cause: 'no Content-Length' };
      } else this.#open(head);
    }
    const next = this.#body.read(rest.bytes, rest.at, rest.end);
    if (this.#body.fault !== null) return { why: 'host_framing', cause: this.#body.fault };
    this.complete = this.#body.done;
    this.surplus = next < rest.end;
    this.#pass(rest.bytes, rest.at, this.#body.payloadEnd);
    return null;
  }

  /** The host's FIN: true if that is where its answer ends. */
  close(): boolean {
    if (this.head?.framing !== 'close') return false;
    this.#body.close();
    this.complete = true;
    this.flowing = true;
    this.#pass(nothing, 0, 0);
    return true;
  }

  /** 100 was the gateway's to give; HTTP/1.0 knows no interim answers (RFC 9110 §15.2). */
  #passInterim(head: ResponseHead): void {
    if (head.status === 100 || this.#wish?.request.minor !== 1) return;
    const interim = writeResponseHead(head, { chunked: false, close: false });
    this.flowing = this.#sender.send(Buffer.from(interim, 'latin1'));
  }

  #open(head: ResponseHead): void {
    const { limits, contentLength } = this.#wish as AnswerWish;
    this.head = head;
    this.#collecting = contentLength === 'ensure' && (head.framing === 'chunked' || head.framing === 'close');
    this.#body.start(head.framing, {
      length: head.length,
      limits: { body: unlimited, head: limits.head, fields: limits.fields },
    });
  }

  /** Bytes `at` to `end` of the payload, and the head before its first ones: sent, or kept while its length may be known. */
  #pass(bytes: Buffer, at: number, end: number): void {
    let part: Span = { bytes, at, end };
    let { length } = this.head as ResponseHead;
    if (this.#collecting) {
      const fits = this.received <= collected;
      if (fits && !this.complete) return this.#collection.add(bytes, at, end);
      if (this.#collection.size > 0) {
        this.#collection.add(bytes, at, end);
        const whole = this.#collection.take();
        part = { bytes: whole, at: 0, end: whole.length };
      }
      if (fits) length = this.received;
      this.#collecting = false;
    }
    const head = this.begun ? '' : this.#begin(length);
    const payload = {
      bytes: part.bytes,
      at: part.at,
      end: part.end,
      chunked: this.#chunked,
      last: this.complete,
    };
    if (head !== '' || payload.end > payload.at || (payload.last && payload.chunked)) {
      this.flowing = this.#sender.send(assemble(head, payload));
    }
  }

  /** The head for the client; `length`: -1 where it is not known. */
  #begin(length: number): string {
    const head = this.head as ResponseHead;
    this.begun = true;
    // RFC 9112 §6.1: an HTTP/1.0 client knows no chunks; it gets the body until close.
    this.#chunked = length === -1 && head.framing !== 'none' && this.#wish?.request.minor === 1;
    return writeResponseHead(head, { length, chunked: this.#chunked, close: this.#sender.endsWithAnswer() });
  }
}
