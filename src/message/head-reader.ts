/** Heads out of a stream of bytes: requests on the client's side, answers on the host's. */
import type { Limits } from '../policy/snapshot.ts';
import { HeadIntake } from './intake.ts';
import { parseRequestHead, type RefusedHead, type RequestHead } from './request.ts';
import { parseResponseHead, type ResponseHead } from './response.ts';
import { BROKEN, INCOMPLETE } from './section.ts';

/** Bytes `at` to `end` of a buffer. */
export interface Span {
  readonly bytes: Buffer;
  readonly at: number;
  readonly end: number;
}

/** What an answer's head is read by: whether HEAD was asked, and the limits. */
export interface Asked {
  readonly toHead: boolean;
  readonly limits: Pick<Limits, 'head' | 'fields'>;
}

export class RequestReader {
  readonly #intake = new HeadIntake();
  /** What follows the head that was read last. */
  rest: Span = { bytes: Buffer.alloc(0), at: 0, end: 0 };

  /** The next head, or what it is refused for; null: it is not complete yet. */
  read({ bytes, at, end }: Span, limits: Limits): RequestHead | RefusedHead | null {
    const intake = this.#intake;
    const found = intake.offer(bytes, at, end);
    const length = (found === INCOMPLETE ? intake.end : found) - intake.start;
    if (found === BROKEN) return unread('line_end');
    if (length > limits.head) {
      const allowed = intake.bytes.subarray(intake.start, Math.min(intake.start + limits.head, intake.end));
      return unread(allowed.includes('\r\n') ? 'head_length' : 'target_length');
    }
    if (found === INCOMPLETE) return null;
    this.rest = { bytes: intake.bytes, at: found, end: intake.end };
    return parseRequestHead(intake.text(found), limits);
  }
}

function unread(refusal: RefusedHead['refusal']): RefusedHead {
  return { kind: 'refused', refusal, method: null, path: null };
}

/** A longer head is not worth keeping. */
const MAX_KEPT = 512;

export class ResponseReader {
  readonly #intake = new HeadIntake();
  /** A host's answers begin alike: the last head's bytes, what they said, and to what they were the answer. */
  #kept: { readonly bytes: Buffer; readonly head: ResponseHead; readonly asked: Asked } | null = null;
  rest: Span = { bytes: Buffer.alloc(0), at: 0, end: 0 };

  /** Forgets what came of an answer before. */
  reset(): void {
    this.#intake.reset();
  }

  /** The next head, interim answers included; `malformed` when it is no valid answer; null: not complete yet. */
  read({ bytes, at, end }: Span, asked: Asked): ResponseHead | 'malformed' | null {
    const { toHead, limits } = asked;
    const intake = this.#intake;
    const found = intake.offer(bytes, at, end);
    const length = (found === INCOMPLETE ? intake.end : found) - intake.start;
    if (found === BROKEN || length > limits.head) return 'malformed';
    if (found === INCOMPLETE) return null;
    this.rest = { bytes: intake.bytes, at: found, end: intake.end };
    const kept = this.#kept;
    if (
      kept !== null &&
      kept.bytes.length === length &&
      kept.bytes.compare(intake.bytes, intake.start, found) === 0 &&
      kept.asked.toHead === toHead &&
      kept.asked.limits === limits
    ) {
      return kept.head;
    }
    const head = parseResponseHead(intake.text(found), { toHead, maxFields: limits.fields });
    if (head === null) return 'malformed';
    // Copied: the bytes lie in a buffer that is read into again.
    if (length <= MAX_KEPT)
      this.#kept = { bytes: Buffer.from(intake.bytes.subarray(intake.start, found)), head, asked };
    return head;
  }
}
