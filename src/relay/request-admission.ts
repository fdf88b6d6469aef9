/** Decides whether a request is forwarded, and on which route. */
import type { RefusalName } from '../message/message-reasons.ts';
import type { ShedReason } from '../telemetry/route-meter.ts';
import type { ClientAccount } from './client-accounts.ts';
import type { HeldBodies } from './held-bodies.ts';
import type { RelayPolicy } from './relay-policy.ts';
import type { Route } from './route-table.ts';

/** What is asked anew for each request. */
export interface RequestConditions {
  /** The client's permit is still valid. */
  readonly permitted: () => boolean;
  readonly auditUnavailable: () => boolean;
  readonly overloaded: () => boolean;
  readonly account: ClientAccount;
  /** Of the relay thread. */
  readonly held: HeldBodies;
}

export type RequestRefusal =
  /** The connection ends with the response. */
  | { readonly kind: 'close'; readonly reason: RefusalName }
  /** Load is shed: the connection may stay open. `route`: null if none was selected yet. */
  | { readonly kind: 'shed'; readonly reason: ShedReason; readonly route: Route | null };

const permitWithdrawn: RequestRefusal = { kind: 'close', reason: 'permit_withdrawn' };
const noRoute: RequestRefusal = { kind: 'close', reason: 'no_route' };
const auditUnavailable: RequestRefusal = { kind: 'shed', reason: 'audit_unavailable', route: null };
const overloaded: RequestRefusal = { kind: 'shed', reason: 'overloaded', route: null };
const clientInFlight: RequestRefusal = { kind: 'shed', reason: 'client_in_flight', route: null };

/** Cheap checks come first. Allocates nothing for a request that is forwarded. */
export function checkRequest(
  path: string,
  conditions: RequestConditions,
  { limits, routes }: Pick<RelayPolicy, 'limits' | 'routes'>,
): Route | RequestRefusal {
  if (!conditions.permitted()) return permitWithdrawn;
  if (conditions.auditUnavailable()) return auditUnavailable;
  if (conditions.overloaded()) return overloaded;
  if (conditions.account.inFlight >= limits.inFlightPerClient) return clientInFlight;
  const route = routes.find(path);
  if (route === null) return noRoute;
  if (route.meter.inFlight >= route.policy.inFlight)
    return { kind: 'shed', reason: 'route_in_flight', route };
  return route;
}
