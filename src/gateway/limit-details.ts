/** Names the limit that a connection was refused for, with its option and value, for the record's detail. */
import type { DenyReasonName } from '../identity/deny-reasons.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';

type Limits = Pick<PolicySnapshot, 'limits'>['limits'];

/** The reasons that an option of `limits` decides at accept. */
export type LimitReason = Extract<
  DenyReasonName,
  | 'too_many_connections'
  | 'too_many_handshakes'
  | 'connections_per_address'
  | 'handshakes_per_address'
  | 'handshake_rate'
  | 'overloaded'
>;

const perThread = 'each relay thread counts its own connections';
const unlisted =
  'it holds for an address that clients.allowlist does not list (a range of /0 lists none; the addresses of an IPv6 /64 count as one)';

export function limitDetail(reason: LimitReason, limits: Limits): string {
  switch (reason) {
    case 'too_many_connections':
      return `limits.connections is ${limits.connections}, and as many connections are open; ${perThread}`;
    case 'too_many_handshakes':
      return `limits.unfinishedHandshakes is ${limits.unfinishedHandshakes}, and as many connections are in their TLS handshake; ${unlisted}, and ${perThread}`;
    case 'connections_per_address':
      return `limits.connectionsPerAddress is ${limits.connectionsPerAddress}, and the address has as many connections open; ${unlisted}, and ${perThread}`;
    case 'handshakes_per_address':
      return `limits.unfinishedHandshakesPerAddress is ${limits.unfinishedHandshakesPerAddress}, and the address has as many connections in their TLS handshake; ${unlisted}, and ${perThread}`;
    case 'handshake_rate':
      return `limits.handshakeRate is ${limits.handshakeRate}, and the address began more TLS handshakes in a second; ${unlisted}, and ${perThread}`;
    case 'overloaded':
      return `limits.delay is ${limits.delay} ms, and for half a second or more each message in this relay thread waited longer for the event loop; the thread accepts no connection until that is over`;
    default:
      return reason satisfies never;
  }
}
