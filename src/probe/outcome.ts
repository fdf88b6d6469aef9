/** How a server can answer a ClientHello. */
import type { NamedGroup } from './named-groups.ts';
import type { ServerFlight } from './server-flight.ts';
import type { VersionName } from './versions.ts';

/** Times of one connection. */
export interface Timing {
  /** Milliseconds until the TCP connection was open; null: it never was. */
  readonly connectMs: number | null;
  /** Milliseconds from the start of the connection to its outcome. */
  readonly ms: number;
}

/** Every answer other than a complete flight. Text of the server is limited in length, and holds printable ASCII only. */
export type FlightFailure =
  /** No TCP connection. `code`: Node's, such as `ECONNREFUSED`, `ENOTFOUND`. */
  | { readonly kind: 'unreachable'; readonly code: string }
  /** The limit passed. `phase`: what did not end in time; `total`: the limit of several connections together passed. */
  | { readonly kind: 'timeout'; readonly phase: 'connect' | 'handshake' | 'total' }
  /** A TCP reset, or another error of the open connection. */
  | { readonly kind: 'reset'; readonly code: string }
  /** The server ended the connection before its flight was complete. */
  | { readonly kind: 'closed' }
  /** `name`: `handshake_failure (40)`. */
  | {
      readonly kind: 'alert';
      readonly level: 'warning' | 'fatal';
      readonly code: number;
      readonly name: string;
    }
  /** The server chose an older version than the one that was offered. */
  | { readonly kind: 'other-version'; readonly version: VersionName }
  /** TLS 1.3: the server asks for a group that our reader has no key for. */
  | { readonly kind: 'retry'; readonly group: NamedGroup }
  /** The answer is HTTP without TLS. `line`: the first line; `status`: null if it has none. */
  | { readonly kind: 'http'; readonly status: number | null; readonly line: string }
  /** The answer is neither TLS nor HTTP. `text`: its first bytes. */
  | { readonly kind: 'not-tls'; readonly text: string }
  /** The answer is TLS that breaks the protocol. `detail`: what is wrong, without a subject. */
  | { readonly kind: 'malformed'; readonly detail: string }
  /** The answer is larger than any real one. */
  | { readonly kind: 'too-large'; readonly detail: string };

export type FlightOutcome = Timing &
  (
    | { readonly kind: 'flight'; readonly flight: ServerFlight }
    | (FlightFailure & {
        /** What came before, from the ServerHello on: parts that did not come are null or empty. null: nothing. */
        readonly received: ServerFlight | null;
      })
  );

/** The failure alone, without times and what came before. */
export function failureIn(outcome: Exclude<FlightOutcome, { kind: 'flight' }>): FlightFailure {
  const { received: _, connectMs: __, ms: ___, ...failure } = outcome;
  return failure;
}

const timeoutTexts = {
  connect: 'accepted no TCP connection in time',
  handshake: 'did not answer in time',
  total: 'was not asked further, since the time for all connections was over',
} as const;

/** Whether the time for all connections was over: says nothing about the server. */
export function isCut(failure: FlightFailure): boolean {
  return failure.kind === 'timeout' && failure.phase === 'total';
}

/** A clause without a subject, for a report: `sent the TLS alert handshake_failure (40)`. */
export function describeFailure(failure: FlightFailure): string {
  switch (failure.kind) {
    case 'unreachable':
      return `accepts no TCP connection (${failure.code})`;
    case 'timeout':
      return timeoutTexts[failure.phase];
    case 'reset':
      return `reset the connection (${failure.code})`;
    case 'closed':
      return 'closed the connection before its answer was complete';
    case 'alert':
      return `sent the TLS alert ${failure.name}`;
    case 'other-version':
      return `answered with ${failure.version}`;
    case 'retry':
      return `asked for a key exchange with ${failure.group.name}`;
    case 'http':
      return `answered with HTTP without TLS: ${failure.line}`;
    case 'not-tls':
      return failure.text === '' ? 'sent no TLS' : `answered with bytes that are not TLS: ${failure.text}`;
    case 'malformed':
      return `broke the TLS protocol: ${failure.detail}`;
    case 'too-large':
      return `sent ${failure.detail}`;
    default:
      return failure satisfies never;
  }
}
