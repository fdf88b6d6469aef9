import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RouteTable } from '../../src/relay/route-table.ts';
import { RouteMeter } from '../../src/telemetry/route-meter.ts';
import { Upstream } from '../../src/upstream/upstream.ts';
import { answers } from '../support/process/snapshot.ts';

// Not used here.
const upstream = new Upstream([], { connect: 1000, connectFirst: 50 });

function table(...paths: string[]): RouteTable {
  return new RouteTable(
    paths.map((path) => {
      return {
        policy: { ...answers, path, endpoints: [] },
        upstream,
        guards: null,
        meter: new RouteMeter(path),
      };
    }),
  );
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
