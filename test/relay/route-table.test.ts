import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MessageGuards } from '../../src/relay/message-guards.ts';
import { RouteTable } from '../../src/relay/route-table.ts';
import { RouteMeter } from '../../src/telemetry/route-meter.ts';
import { Upstream } from '../../src/upstream/route-endpoints.ts';
import { answers } from '../support/process/snapshot.ts';

// Not used here.
const upstream = new Upstream([], { connect: 1000, connectFirst: 50 });

function routeOf(path: string, guards: MessageGuards | null = null) {
  return { policy: { ...answers, path, endpoints: [] }, upstream, guards, meter: new RouteMeter(path) };
}

function table(...paths: string[]): RouteTable {
  return new RouteTable(paths.map((path) => routeOf(path)));
}

function find(routes: RouteTable, path: string): string | null {
  return routes.find(path)?.policy.path ?? null;
}

describe('a path belongs to', () => {
  const routes = table('/', '/ehi', '/ehi/v1', '/ehi/v1/a;b');

  it.each([
    ['/', '/'],
    ['/other', '/'],
    ['/ehi', '/ehi'],
    ['/ehi/', '/ehi'],
    ['/ehi/v2/x', '/ehi'],
    ['/ehi/v1', '/ehi/v1'],
    ['/ehi/v1/', '/ehi/v1'],
    ['/ehi/v1/a', '/ehi/v1'],
    ['/ehi/v1/a;b', '/ehi/v1/a;b'],
    ['/ehi/v10', '/ehi'],
    ['/ehix', '/'],
    ['/x/ehi', '/'],
    ['/EHI', '/'],
    ['/constructor', '/'],
  ])('%s: to the route %s', (path, route) => {
    expect(find(routes, path)).toBe(route);
  });

  it.each(['/', '/eh', '/ehix', '/x/ehi', '/ehi%2fv1'])('no route: %s, where only /ehi is one', (path) => {
    expect(find(table('/ehi'), path)).toBe(null);
  });

  it('no route if there are none', () => {
    expect(find(table(), '/a')).toBe(null);
  });
});

it('finds the longest route of whole segments, for any routes in any order', () => {
  const path = fc
    .array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 4 })
    .map((segments) => `/${segments.join('/')}`);
  fc.assert(
    fc.property(fc.uniqueArray(path), path, fc.boolean(), (routes, asked, slash) => {
      const wanted = slash && asked !== '/' ? `${asked}/` : asked;
      const fitting = routes.filter(
        (route) => route === '/' || route === wanted || wanted.startsWith(`${route}/`),
      );
      const longest = fitting.sort((a, b) => b.length - a.length)[0] ?? null;
      expect(find(table(...routes), wanted)).toBe(longest);
    }),
    { numRuns: 1000 },
  );
});

describe('no spelling of a path avoids the guards of its route', () => {
  const guards: MessageGuards = { bearer: null, signature: null };
  const routes = new RouteTable([
    routeOf('/'),
    routeOf('/ehi', guards),
    routeOf('/ehi/open'),
    routeOf('/Upper', guards),
    routeOf('/plain'),
    routeOf('/PLAIN/x'),
  ]);

  it.each([
    ['/%65hi', '/ehi'],
    ['/%65%48i/v1', '/ehi'],
    ['/%2565hi', '/ehi'],
    ['/ehi;x=1', '/ehi'],
    ['/ehi;x/v1', '/ehi'],
    ['/ehi%3bx', '/ehi'],
    ['/;x/ehi', '/ehi'],
    ['/EHI', '/ehi'],
    ['/Ehi/', '/ehi'],
    ['/upper', '/Upper'],
    ['/Upper', '/Upper'],
    // A route of its own is what the operator wrote.
    ['/ehi/open', '/ehi/open'],
    ['/ehi/open/EHI', '/ehi/open'],
    ['/ehi/%6fpen', '/ehi'],
    // Routes without guards are chosen as written.
    ['/%70lain', '/'],
    ['/plain/x', '/plain'],
    ['/;', '/'],
    ['/ehix', '/'],
  ])('%s is judged by %s', (path, route) => {
    expect(find(routes, path)).toBe(route);
  });
});
