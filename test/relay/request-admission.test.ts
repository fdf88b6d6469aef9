import { expect, it } from 'vitest';
import { HeldBodies } from '../../src/relay/held-bodies.ts';
import { checkRequest, type RequestConditions } from '../../src/relay/request-admission.ts';
import { RouteTable } from '../../src/relay/route-table.ts';
import { RouteMeter } from '../../src/telemetry/route-meter.ts';
import { Upstream } from '../../src/upstream/route-endpoints.ts';
import { authority } from '../support/pki/authority.ts';
import { answers, snapshotOf } from '../support/process/snapshot.ts';

const { limits } = snapshotOf(authority());

/** A route of which `inFlight` messages are in flight, at most one being allowed. */
function routeWith(inFlight: number) {
  const meter = new RouteMeter('/a');
  meter.inFlight = inFlight;
  const policy = { ...answers, path: '/a', endpoints: [], inFlight: 1 };
  return { policy, upstream: new Upstream([], { connect: 1000, connectFirst: 50 }), guards: null, meter };
}

interface Case extends Partial<Record<'withdrawn' | 'auditUnavailable' | 'overloaded', boolean>> {
  readonly clientInFlight?: number;
  readonly routeInFlight?: number;
  readonly path?: string;
}

function check({ clientInFlight = 0, routeInFlight = 0, path = '/a', ...flags }: Case) {
  const route = routeWith(routeInFlight);
  const conditions: RequestConditions = {
    permitted: () => flags.withdrawn !== true,
    auditUnavailable: () => flags.auditUnavailable === true,
    overloaded: () => flags.overloaded === true,
    account: { leaf: '', inFlight: clientInFlight, connections: 1 },
    held: new HeldBodies(),
  };
  const policy = { limits: { ...limits, inFlightPerClient: 1 }, routes: new RouteTable([route]) };
  return { route, checked: checkRequest(path, conditions, policy) };
}

it('returns the route of a request that can be forwarded', () => {
  const { route, checked } = check({});
  expect(checked).toBe(route);
});

it.each<[string, string, Case]>([
  ['permit_withdrawn', 'close', { withdrawn: true, auditUnavailable: true }],
  ['audit_unavailable', 'shed', { auditUnavailable: true, overloaded: true }],
  ['overloaded', 'shed', { overloaded: true, clientInFlight: 1 }],
  ['client_in_flight', 'shed', { clientInFlight: 1, path: '/b' }],
  ['no_route', 'close', { path: '/b', routeInFlight: 1 }],
  ['route_in_flight', 'shed', { routeInFlight: 1 }],
])('refuses with %s (%s), before any later reason', (reason, kind, options) => {
  expect(check(options).checked).toMatchObject({ reason, kind });
});

it('names the route only if the limit of the route was reached', () => {
  const { route, checked } = check({ routeInFlight: 1 });
  expect(checked).toMatchObject({ route });
  expect(check({ overloaded: true }).checked).toMatchObject({ route: null });
});
