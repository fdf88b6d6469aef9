/** An upstream endpoint as `/upstreams` of the admin port reports it. */
import { isoTime } from './clock.ts';
import { type EndpointTotal, later } from './endpoint-totals.ts';

interface FailureReport {
  readonly time: string;
  readonly reason: string;
  readonly cause: string;
}

export interface EndpointReport {
  readonly url: string;
  readonly state: 'used' | 'partly_used' | 'passed_over';
  /** Relay threads that use the endpoint, and relay threads that pass it over. */
  readonly relays: { readonly used: number; readonly passed_over: number };
  readonly connections: { readonly idle: number; readonly in_use: number };
  /** Maximum idle time of a connection. */
  readonly idle_limit_ms: number;
  readonly ejections: number;
  readonly last_failure: FailureReport | null;
  readonly last_message_failure: FailureReport | null;
  readonly last_check: {
    readonly time: string;
    readonly result: 'passed' | 'failed';
    readonly cause: string | null;
  } | null;
}

/** With what the status document has besides. */
export interface EndpointState extends EndpointReport {
  /** The one of its last failures that happened last. */
  readonly latestFailure: FailureReport | null;
}

export function describeState(total: EndpointTotal): EndpointState {
  return {
    ...describeEndpoint(total),
    latestFailure: describeFailure(later(total.lastFailure, total.lastMessageFailure)),
  };
}

export function describeEndpoint(total: EndpointTotal): EndpointReport {
  const { endpoint, pools, ejected, idle, inUse, idleLimit, ejections, lastCheck } = total;
  return {
    url: endpoint,
    state: ejected === 0 ? 'used' : ejected < pools ? 'partly_used' : 'passed_over',
    relays: { used: pools - ejected, passed_over: ejected },
    connections: { idle, in_use: inUse },
    idle_limit_ms: Math.round(idleLimit),
    ejections,
    last_failure: describeFailure(total.lastFailure),
    last_message_failure: describeFailure(total.lastMessageFailure),
    last_check: lastCheck && {
      time: isoTime(lastCheck.at),
      result: lastCheck.cause === null ? 'passed' : 'failed',
      cause: lastCheck.cause,
    },
  };
}

function describeFailure(
  failure: { readonly at: number; readonly reason: string; readonly cause: string } | null,
): FailureReport | null {
  return failure && { time: isoTime(failure.at), reason: failure.reason, cause: failure.cause };
}
