/** Forwards the host's response: parsed strictly, and framed anew, with a Content-Length if the length is known in time. */
import { BodyReader } from '../message/body-framing.ts';
import { noBytes } from '../message/head-buffer.ts';
import { type ResponseHeadCache, ResponseReader, type Span } from '../message/head-reader.ts';
import { assemble, writeResponseHead } from '../message/head-writer.ts';
import type { RequestHead } from '../message/request.ts';
import { hasContentType, type ResponseFaultName, type ResponseHead } from '../message/response.ts';
import type { Limits } from '../policy/snapshot.ts';
import { GrowingBuffer } from './growing-buffer.ts';

/** Sends the response to the client. */
export interface ResponseSender {
  /** False: wait for the client's drain before more is sent. */
  send(bytes: Buffer): boolean;
  /** The client's connection must end after this response; read once, when its head is written. */
  readonly mustClose: boolean;
  /** The host's FIN proves that the response is complete. */
  readonly finProves: boolean;
}

export interface ResponseContext {
  readonly request: RequestHead;
  readonly limits: Limits;
  /** As the route's `contentLength`. */
  readonly contentLength: 'ensure' | 'asis';
  /** Of the route's upstream. */
  readonly headCache: ResponseHeadCache;
}

export interface ResponseFault {
  readonly why: ResponseFaultName | 'unproven_end';
  /** For the log: a code of the gateway. */
  readonly cause: string;
}

/** Maximum size of a body that is buffered until its length is known; EHI's responses have a few hundred bytes. */
const MAX_BUFFERED = 64 * 1024;
const unlimited = Number.MAX_SAFE_INTEGER;

/** Made once for a client's connection, and used for its messages in turn. */
export class HostResponse {
  /** null: not received yet. */
  head: ResponseHead | null = null;
  /** A part of it was sent to the client: no error can be sent instead. */
  begun = false;
  /** It was received and sent completely. */
  complete = false;
  /** The client's connection ends after it, as its head said; valid once `begun`. */
  closesConnection = false;
  /** The host sent bytes after its end. */
  surplus = false;
  /** False: wait for the client's drain before more is read. */
  flowing = true;

  readonly #sender: ResponseSender;
  readonly #heads = new ResponseReader();
  readonly #body = new BodyReader();
  readonly #buffer = new GrowingBuffer();
  #context: ResponseContext | null = null;
  #buffering = false;
  #chunked = false;

  constructor(sender: ResponseSender) {
    this.#sender = sender;
  }

  /** Payload bytes that were received. */
  get received(): number {
    return this.#body.received;
  }

  /** It has a body and no Content-Type. */
  get untyped(): boolean {
    return this.head !== null && this.#body.received > 0 && !hasContentType(this.head);
  }

  /** Prepares for the next response, and forgets the one before. */
  begin(context: ResponseContext): void {
    this.#context = context;
    this.head = null;
    this.begun = false;
    this.complete = false;
    this.surplus = false;
    this.#heads.reset();
  }

  /** The exchange is over: releases buffered bytes. */
  end(): void {
    this.#context = null;
    this.#buffer.take();
  }

  /** Takes bytes 0 to `end`, and keeps no reference to them. Returns why the response cannot be forwarded, or null. */
  read(bytes: Buffer, end: number): ResponseFault | null {
    let rest: Span = { bytes, at: 0, end };
    this.flowing = true;
    const { request, limits, headCache } = this.#context as ResponseContext;
    while (this.head === null) {
      if (rest.at === rest.end) return null;
      const head = this.#heads.read(rest, { toHead: request.method === 'HEAD', limits, headCache });
      if (head === null) return null;
      if ('fault' in head) return { why: head.fault, cause: head.cause };
      // The gateway forwards no Upgrade, so the host must not switch protocols.
      if (head.status === 101) return { why: 'bad_answer', cause: 'status 101' };
      rest = this.#heads.rest;
      if (head.status < 200) this.#forwardInterim(head);
      else if (head.framing === 'close' && !this.#sender.finProves) {
        return { why: 'unproven_end', cause: 'no Content-Length' };
      } else this.#open(head);
    }
    const next = this.#body.read(rest.bytes, rest.at, rest.end);
    if (this.#body.fault !== null) return { why: 'host_framing', cause: this.#body.fault };
    this.complete = this.#body.done;
    this.surplus = next < rest.end;
    this.#forward(rest.bytes, rest.at, this.#body.payloadEnd);
    return null;
  }

  /** The host sent FIN; true: that completes the response. */
  onFin(): boolean {
    if (this.head?.framing !== 'close') return false;
    this.#body.close();
    this.complete = true;
    this.flowing = true;
    this.#forward(noBytes, 0, 0);
    return true;
  }

  /** The gateway sends 100 itself; HTTP/1.0 has no interim responses (RFC 9110 §15.2). */
  #forwardInterim(head: ResponseHead): void {
    if (head.status === 100 || this.#context?.request.minor !== 1) return;
    const interim = writeResponseHead(head, { chunked: false, close: false });
    this.flowing = this.#sender.send(Buffer.from(interim, 'latin1'));
  }

  #open(head: ResponseHead): void {
    const { limits, contentLength } = this.#context as ResponseContext;
    this.head = head;
    this.#buffering = contentLength === 'ensure' && (head.framing === 'chunked' || head.framing === 'close');
    this.#body.start(head.framing, {
      length: head.length,
      limits: { body: unlimited, head: limits.head, fields: limits.fields },
    });
  }

  /** Sends bytes `at` to `end` of the payload, after the head; or buffers them while the length can become known. */
  #forward(bytes: Buffer, at: number, end: number): void {
    let part: Span = { bytes, at, end };
    let { length } = this.head as ResponseHead;
    if (this.#buffering) {
      const fits = this.received <= MAX_BUFFERED;
      if (fits && !this.complete) return this.#buffer.add(bytes, at, end);
      if (this.#buffer.size > 0) {
        this.#buffer.add(bytes, at, end);
        const whole = this.#buffer.take();
        part = { bytes: whole, at: 0, end: whole.length };
      }
      if (fits) length = this.received;
      this.#buffering = false;
    }
    const head = this.begun ? '' : this.#beginHead(length);
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

  /** The head for the client; `length`: -1 if unknown. */
  #beginHead(length: number): string {
    const head = this.head as ResponseHead;
    this.begun = true;
    // RFC 9112 §6.1: HTTP/1.0 has no chunked coding; such a client gets the body until close.
    this.#chunked = length === -1 && head.framing !== 'none' && this.#context?.request.minor === 1;
    this.closesConnection = this.#sender.mustClose;
    return writeResponseHead(head, { length, chunked: this.#chunked, close: this.closesConnection });
  }
}
