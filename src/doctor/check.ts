/** One check of an endpoint: a measured fact, its judgement, and what to do about it. */
import type { Outcome } from '../terminal/symbols.ts';

/** In the order of the report. */
export const groups = [
  'Name and address',
  'Server certificate',
  'Protocols and cipher suites',
  'Request for a client certificate',
  'Who is let in',
  'Message',
  'Access token',
  'Latency',
] as const;
export type Group = (typeof groups)[number];

export interface Check {
  /** Stable: scripts use it. */
  readonly id: CheckId;
  readonly group: Group;
  readonly name: string;
  readonly outcome: Outcome;
  /** What was measured. It may contain text of the endpoint: print it through `printable`. */
  readonly fact: string;
  /** What to do; not for `pass`, nor for what is not judged because another check failed. */
  readonly hint?: string;
}

/** Every check, in the order of the report. */
const checks = {
  resolve: ['Name and address', 'the name resolves'],
  connect: ['Name and address', 'TCP connects'],
  admitted: ['Name and address', 'this address is let in'],
  tls: ['Name and address', 'TLS is spoken'],
  'chain-readable': ['Server certificate', 'certificates as sent'],
  'chain-order': ['Server certificate', 'order of the chain'],
  'chain-complete': ['Server certificate', 'no intermediate is missing'],
  'chain-root': ['Server certificate', 'nothing superfluous is sent'],
  'chain-trust': ['Server certificate', 'the chain verifies'],
  'chain-name': ['Server certificate', 'the name matches'],
  'chain-validity': ['Server certificate', 'validity'],
  'chain-key': ['Server certificate', 'keys are strong'],
  'chain-signature': ['Server certificate', 'signatures are strong'],
  'chain-sni': ['Server certificate', 'same chain without SNI'],
  versions: ['Protocols and cipher suites', 'TLS 1.2 and 1.3 only'],
  suites: ['Protocols and cipher suites', 'no insecure cipher suite'],
  'forward-secrecy': ['Protocols and cipher suites', 'forward secrecy'],
  aead: ['Protocols and cipher suites', 'authenticated encryption (AEAD)'],
  'key-exchange': ['Protocols and cipher suites', 'key exchange is strong'],
  renegotiation: ['Protocols and cipher suites', 'renegotiation is off'],
  'certificate-request': ['Request for a client certificate', 'a certificate is asked for'],
  'ca-names': ['Request for a client certificate', 'acceptable CA names'],
  'signature-algorithms': ['Request for a client certificate', 'signature algorithms asked for'],
  'no-certificate': ['Who is let in', 'no certificate gets 400 or 403'],
  'wrong-certificate': ['Who is let in', 'a certificate of a wrong CA is refused'],
  'no-certificate-resumed': ['Who is let in', 'resumption without one is refused'],
  'message-status': ['Message', 'a message gets 2xx'],
  'message-length': ['Message', 'Content-Length is present'],
  'message-type': ['Message', 'Content-Type is present'],
  'message-continue': ['Message', '100 Continue comes at once'],
  'token-missing': ['Access token', 'no token gets 401'],
  'token-altered': ['Access token', 'an altered token gets 401'],
  'token-bound': ['Access token', 'another certificate gets 401'],
  'latency-handshake': ['Latency', 'connection and handshake'],
  'latency-message': ['Latency', 'message and response'],
  'latency-total': ['Latency', 'one connection per message'],
} as const satisfies Record<string, readonly [group: Group, name: string]>;

export type CheckId = keyof typeof checks;
export const checkIds = Object.keys(checks) as CheckId[];

export interface Judgement {
  readonly outcome: Outcome;
  readonly fact: string;
  readonly hint?: string;
}

export function check(id: CheckId, { outcome, fact, hint }: Judgement): Check {
  const [group, name] = checks[id];
  return { id, group, name, outcome, fact, ...(hint === undefined ? {} : { hint }) };
}

export function pass(fact: string): Judgement {
  return { outcome: 'pass', fact };
}

export function fail(fact: string, hint: string): Judgement {
  return { outcome: 'fail', fact, hint };
}

export function warn(fact: string, hint: string): Judgement {
  return { outcome: 'warn', fact, hint };
}

/** Not possible here. */
export function unknown(fact: string, hint: string): Judgement {
  return { outcome: 'unknown', fact, hint };
}

/** Nothing to do here: another check says what. `because`: a clause, such as `an intermediate is missing`. */
export function notJudged(because: string): Judgement {
  return { outcome: 'unknown', fact: `not judged, because ${because}` };
}

/** The checks in `ids` cannot fail: a fault that they find is a warning. */
export function tolerate(all: readonly Check[], ids: readonly CheckId[]): Check[] {
  return all.map((each) =>
    each.outcome === 'fail' && ids.includes(each.id)
      ? { ...each, outcome: 'warn', fact: `${each.fact} (tolerated)` }
      : each,
  );
}

/** `1 certificate`, `2 certificates`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

/** Milliseconds for a reader: `0.4 ms`, `12 ms`. */
export function milliseconds(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
