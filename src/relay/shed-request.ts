/** A message that is refused for the load there is: recorded at once, and answered when its body is in. */
import { errorAnswer } from '../message/answer.ts';
import { BodyReader } from '../message/framing.ts';
import type { Span } from '../message/head-reader.ts';
import { messageRefusals } from '../message/refusal.ts';
import { recordRefusal } from '../message/refusal-record.ts';
import type { RequestHead } from '../message/request.ts';
import type { Limits } from '../policy/snapshot.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { noRoute, type ShedReason } from '../telemetry/route-meter.ts';
import type { Route } from './route.ts';

/** So much of its body is read, so that the connection can stay. */
const MAX_DISCARD = 64 * 1024;

interface ShedFacts {
  readonly reason: ShedReason;
  readonly connId: string;
  readonly requestId: string;
  /** As told in its span; null: it has none. */
  readonly traceId: string | null;
  readonly head: RequestHead;
  /** null: none was chosen. */
  readonly route: Route | null;
}

/**
 * Of the body nothing is kept. It is read at all because a handshake costs more than the message would have: a client
 * that had to connect anew for each refusal would make of too much even more.
 */
export class Shed {
  readonly #facts: ShedFacts;
  readonly #reader = new BodyReader();
  /** It waits for 100 Continue: its body may come all the same, or not (RFC 9110 §10.1.1). */
  readonly #unsure: boolean;

  /** `rest`: what has come after the head. */
  constructor(facts: ShedFacts, { limits, rest }: { readonly limits: Limits; readonly rest: Span }) {
    const { head } = facts;
    this.#facts = facts;
    this.#unsure = head.expectContinue && rest.at === rest.end;
    this.#reader.start(head.framing, {
      length: head.length,
      limits: { ...limits, body: Math.min(limits.body, MAX_DISCARD) },
    });
  }

  /** Nothing more of it needs to come before the answer. */
  get over(): boolean {
    return this.#reader.done || !this.keepsAlive;
  }

  /** What follows can be told from its body, and the client will send it. */
  get keepsAlive(): boolean {
    return this.#facts.head.keepAlive && !this.#unsure && this.#reader.fault === null;
  }

  /** The index after what belongs to its body. */
  read({ bytes, at, end }: Span): number {
    return this.#reader.read(bytes, at, end);
  }

  record(recorder: Recorder): void {
    const { route, reason, ...facts } = this.#facts;
    const { status } = messageRefusals[reason];
    recordRefusal(recorder, { ...facts, reason, status, route: route?.policy.path ?? null });
    (route?.meter ?? recorder.meter.route(noRoute)).shed(reason);
  }

  answer({ close }: { readonly close: boolean }): Buffer {
    const { reason, requestId, head } = this.#facts;
    const { status } = messageRefusals[reason];
    return errorAnswer({ status, requestId, close, bodyless: head.method === 'HEAD' });
  }
}
