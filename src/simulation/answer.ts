/** Reads one answer from the bytes of a connection, strictly (with the gateway's codec), and judges it as EHI does. */
import { BodyReader } from '../message/body-framing.ts';
import { BROKEN, INCOMPLETE } from '../message/field-section.ts';
import { HeadBuffer } from '../message/head-buffer.ts';
import { hasContentType, parseResponseHead, type ResponseHead } from '../message/response.ts';
import { readAcknowledgement } from './acknowledgement.ts';
import type { Outcome } from './outcomes.ts';

const limits = { head: 64 * 1024, fields: 200, body: 4 * 1024 * 1024 };

/** `continue`: 100 Continue was read, and the answer is to come. `misframed`: see `cause`. */
export type AnswerState = 'incomplete' | 'continue' | 'complete' | 'misframed';

export interface Judgement {
  readonly outcome: Outcome;
  /** The status, where it is the reason. */
  readonly detail: string | null;
}

/** For one connection: reads one answer after the other. */
export class AnswerReader {
  /** Bytes of this answer have arrived. */
  begun = false;
  /** Why the answer is not valid, as the gateway's log names it. */
  cause = '';
  /** Bytes that came after the answer, in the same read. */
  surplus = 0;

  readonly #buffer = new HeadBuffer();
  readonly #reader = new BodyReader();
  #head: ResponseHead | null = null;
  #body = '';
  #headBytes = 0;

  /** Prepares for the answer to the next message. */
  begin(): void {
    this.begun = false;
    this.surplus = 0;
    this.#head = null;
    this.#body = '';
    this.#headBytes = 0;
    this.#buffer.reset();
  }

  /** The connection may carry another message after this complete answer. */
  get reusable(): boolean {
    return this.#head?.reusable === true;
  }

  /** Of a complete answer. */
  judge(): Judgement {
    const head = this.#head as ResponseHead;
    return { outcome: outcomeOf(head, this.#body), detail: isSuccess(head) ? null : String(head.status) };
  }

  get isSuccess(): boolean {
    return this.#head !== null && isSuccess(this.#head);
  }

  /** Overwrites chunk framing in `bytes`. */
  read(bytes: Buffer): AnswerState {
    this.begun ||= bytes.length > 0;
    let [source, at, end] = [bytes, 0, bytes.length];
    let continues = false;
    while (this.#head === null) {
      const found = this.#buffer.append(source, at, end);
      this.#headBytes += end - at;
      if (found === BROKEN) return this.#fail('line_end');
      if (found === INCOMPLETE) {
        if (this.#headBytes > limits.head) return this.#fail('head_length');
        return continues ? 'continue' : 'incomplete';
      }
      const head = parseResponseHead(this.#buffer.text(found), { toHead: false, maxFields: limits.fields });
      if ('fault' in head) return this.#fail(head.cause);
      if (head.status === 101) return this.#fail('switching_protocols');
      [source, at, end] = [this.#buffer.bytes, found, this.#buffer.end];
      if (head.status >= 200) this.#start(head);
      else continues ||= head.status === 100;
    }
    return this.#readBody(source, at, end);
  }

  /** The connection ended: completes a body that lasts until then. Returns whether the answer is complete now. */
  end(): boolean {
    if (this.#head?.framing !== 'close') return false;
    this.#reader.close();
    return true;
  }

  #start(head: ResponseHead): void {
    this.#head = head;
    this.#reader.start(head.framing, { length: head.length, limits });
  }

  #readBody(bytes: Buffer, at: number, end: number): AnswerState {
    const next = this.#reader.read(bytes, at, end);
    this.#body += bytes.toString('latin1', at, this.#reader.payloadEnd);
    if (this.#reader.fault !== null) return this.#fail(this.#reader.fault);
    if (!this.#reader.done) return 'incomplete';
    this.surplus = end - next;
    return 'complete';
  }

  #fail(cause: string): 'misframed' {
    this.cause = cause;
    return 'misframed';
  }
}

function isSuccess({ status }: ResponseHead): boolean {
  return status >= 200 && status < 300;
}

function outcomeOf(head: ResponseHead, body: string): Outcome {
  if (!isSuccess(head)) return 'status';
  if (head.length === -1) return 'no_length';
  if (!hasContentType(head)) return 'no_type';
  const acknowledgement = readAcknowledgement(body);
  if (acknowledgement === 'acknowledged') return 'acknowledged';
  return acknowledgement === 'refused' ? 'not_acknowledged' : 'no_acknowledgement';
}
