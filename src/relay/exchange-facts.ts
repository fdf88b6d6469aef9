/** What is known of a message, and of the end of its exchange: what the metrics, the audit and the trace record. */
import type { PolicyFacts } from '../audit/record.ts';
import {
  messageRefusals,
  type RefusalName,
  type UpstreamFailureName,
  upstreamFailures,
} from '../message/message-reasons.ts';
import type { RequestHead } from '../message/request.ts';
import type { SpanContext } from '../message/trace-context.ts';
import type { Route } from './route-table.ts';

/** One message, from its complete head to its audit record. */
export interface Message {
  readonly head: RequestHead;
  readonly route: Route;
  readonly requestId: string;
  readonly traceId: string;
  /** null: not sampled. */
  readonly span: SpanContext | null;
  /** The fields that the gateway adds, each with its CRLF. */
  readonly added: string;
  /** performance.now() when the head was complete. */
  readonly startedAt: number;
  /** performance.now() when it was given to the upstream. */
  readonly forwardedAt: number;
  /** What the guards of the route found; null: it has none. */
  readonly policies: PolicyFacts | null;
}

/** Why an exchange ended without a complete response of the host, and on which side. */
export type ExchangeFailure =
  | { readonly side: 'client'; readonly reason: RefusalName }
  | {
      readonly side: 'host';
      readonly reason: Exclude<UpstreamFailureName, 'shutdown'>;
      /** For the log: a code of the system, of OpenSSL or of the gateway. */
      readonly cause: string;
    }
  | { readonly side: 'gateway'; readonly reason: 'shutdown' };

export type Outcome = 'answered' | 'denied' | 'failed' | 'cut' | 'client_gone';

export interface ExchangeFacts {
  readonly outcome: Outcome;
  /** null: `answered` and `client_gone`. */
  readonly failure: ExchangeFailure | null;
  /** Status of the response that was sent to the client; null: none was sent. */
  readonly status: number | null;
  /** URL of the endpoint whose connection carried the message; null: no connection was made. */
  readonly endpoint: string | null;
  /** That connection was idle before; null as for `endpoint`. */
  readonly upstreamReused: boolean | null;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Milliseconds from then to the host's complete response, or to its failure; NaN: neither. */
  readonly upstreamMs: number;
  /** The host's response had a body and no Content-Type. */
  readonly untyped: boolean;
}

/** Status of the gateway's own error response. */
export function statusOf(failure: ExchangeFailure): number {
  return failure.side === 'client'
    ? messageRefusals[failure.reason].status
    : upstreamFailures[failure.reason].status;
}
