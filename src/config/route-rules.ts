/** The rules of `routes`: one path each, and times that go together. */
import type { z } from 'zod';
import { duplicates, type Fields } from './raw.ts';
import type { RuleFindings } from './rules.ts';
import { routeTimes } from './upstream.ts';

export function checkRoutes(routes: readonly Fields[], { problems }: RuleFindings): void {
  const allowed = 'a path that no other route has';
  const repeated = duplicates(routes, ({ path }) => path);
  problems.push(...repeated.map((index) => ({ path: ['routes', index, 'path'], allowed })));
  for (const [index, route] of routes.entries()) {
    const { deadline, ...within } = timesOf(routeTimes, route);
    for (const name of ['firstByte', 'idle'] as const) {
      if (!(within[name] > deadline)) continue;
      problems.push({ path: ['routes', index, name], allowed: 'at most the deadline of the route' });
    }
  }
}

/** Milliseconds, the default where none is written; NaN: none, or not well-formed. */
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
