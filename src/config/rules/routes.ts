/** The rules of `routes`: distinct paths, and times that fit together; a warning where one time disables another. */
import type { z } from 'zod';
import type { Diagnostic, Diagnostics, Path } from '../diagnostic.ts';
import { routeTimes } from '../schema/routes.ts';
import { connectTimes } from '../schema/timeouts.ts';
import { duplicates, type Fields, itemsOf } from '../yaml-values.ts';

interface Entry {
  readonly path: Path;
  readonly times: Readonly<Record<keyof typeof routeTimes, number>>;
  /** It has more than one endpoint. */
  readonly hasFallback: boolean;
}

export function checkRoutes(
  { routes, timeouts }: { readonly routes: readonly Fields[]; readonly timeouts: Fields },
  { problems, warnings }: Diagnostics,
): void {
  const allowed = 'a path that no other route has';
  const repeated = duplicates(routes, ({ path }) => path);
  problems.push(...repeated.map((index) => ({ path: ['routes', index, 'path'], allowed })));
  const entries = routes.map((route, index): Entry => {
    const hasFallback = itemsOf(route.upstream).length > 1;
    return { path: ['routes', index], times: timesOf(routeTimes, route), hasFallback };
  });
  problems.push(...entries.flatMap(beyondDeadline));
  warnings.push(...entries.flatMap(uselessBudget));
  warnings.push(...uselessFallbacks(entries, timesOf(connectTimes, timeouts)));
}

function beyondDeadline({ path, times }: Entry): Diagnostic[] {
  const beyond = (['firstByte', 'idle'] as const).filter((name) => times[name] > times.deadline);
  return beyond.map((name) => ({ path: [...path, name], allowed: 'at most the deadline of the route' }));
}

function uselessBudget({ path, times: { budget, deadline } }: Entry): Diagnostic[] {
  if (!(budget >= deadline)) return [];
  const found = `${budget}ms beside a deadline of ${deadline}ms: a message reaches the deadline before it counts as late`;
  return [{ path: [...path, 'budget'], found, allowed: 'less than the deadline of the route' }];
}

/** `connectFirst` applies only to routes with more than one endpoint. */
function uselessFallbacks(
  entries: readonly Entry[],
  { connectFirst, connect }: Record<keyof typeof connectTimes, number>,
): Diagnostic[] {
  const chains = entries.filter(({ hasFallback }) => hasFallback);
  const diagnostics = chains
    .filter(({ times }) => connectFirst >= times.deadline)
    .map(({ path, times }) => ({
      path: [...path, 'deadline'],
      found: `${times.deadline}ms beside a timeouts.connectFirst of ${connectFirst}ms: an endpoint that does not accept the connection leaves no time for the next one`,
      allowed: 'more than timeouts.connectFirst',
    }));
  if (chains.length === 0 || !(connectFirst > connect)) return diagnostics;
  const found = `${connectFirst}ms beside a timeouts.connect of ${connect}ms: the last endpoint has less time than the endpoints before it`;
  return [...diagnostics, { path: ['timeouts', 'connectFirst'], found, allowed: 'at most timeouts.connect' }];
}

/** Milliseconds, with the defaults of the schema; NaN: absent without a default, or not valid. */
function timesOf<T extends Record<string, z.ZodType<number>>>(
  schema: T,
  fields: Fields,
): Record<keyof T, number> {
  const times = Object.entries(schema).map(([name, time]) => [
    name,
    time.safeParse(fields[name]).data ?? Number.NaN,
  ]);
  return Object.fromEntries(times);
}
