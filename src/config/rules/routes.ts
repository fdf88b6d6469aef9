/** The rules of `routes`: one path each, and times that go together; in doubt where one switches another off. */
import type { z } from 'zod';
import type { Finding, Path } from '../document.ts';
import { connectTimes, routeTimes } from '../schema/routes.ts';
import { duplicates, type Fields, itemsOf } from '../yaml-values.ts';
import type { RuleFindings } from './rules.ts';

interface Entry {
  readonly path: Path;
  readonly times: Readonly<Record<keyof typeof routeTimes, number>>;
  /** It has an endpoint behind the first. */
  readonly fallsBack: boolean;
}

export function checkRoutes(
  { routes, timeouts }: { readonly routes: readonly Fields[]; readonly timeouts: Fields },
  { problems, warnings }: RuleFindings,
): void {
  const allowed = 'a path that no other route has';
  const repeated = duplicates(routes, ({ path }) => path);
  problems.push(...repeated.map((index) => ({ path: ['routes', index, 'path'], allowed })));
  const entries = routes.map((route, index): Entry => {
    const fallsBack = itemsOf(route.upstream).length > 1;
    return { path: ['routes', index], times: timesOf(routeTimes, route), fallsBack };
  });
  problems.push(...entries.flatMap(beyondDeadline));
  warnings.push(...entries.flatMap(uselessBudget));
  warnings.push(...uselessFallbacks(entries, timesOf(connectTimes, timeouts)));
}

function beyondDeadline({ path, times }: Entry): Finding[] {
  const beyond = (['firstByte', 'idle'] as const).filter((name) => times[name] > times.deadline);
  return beyond.map((name) => ({ path: [...path, name], allowed: 'at most the deadline of the route' }));
}

function uselessBudget({ path, times: { budget, deadline } }: Entry): Finding[] {
  if (!(budget >= deadline)) return [];
  const found = `${budget}ms beside a deadline of ${deadline}ms: nothing is late before it is cut`;
  return [{ path: [...path, 'budget'], found, allowed: 'less than the deadline of the route' }];
}

/** `connectFirst` counts only where an endpoint has another behind it. */
function uselessFallbacks(
  entries: readonly Entry[],
  { connectFirst, connect }: Record<keyof typeof connectTimes, number>,
): Finding[] {
  const chains = entries.filter(({ fallsBack }) => fallsBack);
  const findings = chains
    .filter(({ times }) => connectFirst >= times.deadline)
    .map(({ path, times }) => ({
      path: [...path, 'deadline'],
      found: `${times.deadline}ms beside a timeouts.connectFirst of ${connectFirst}ms: a silent endpoint leaves no time for the next`,
      allowed: 'more than timeouts.connectFirst',
    }));
  if (chains.length === 0 || !(connectFirst > connect)) return findings;
  const found = `${connectFirst}ms beside a timeouts.connect of ${connect}ms: the last endpoint gets less time than those before it`;
  return [...findings, { path: ['timeouts', 'connectFirst'], found, allowed: 'at most timeouts.connect' }];
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
