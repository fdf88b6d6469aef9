/** Paths within parsed YAML, to change one value of a configuration. */

/** The path of every value, the whole first. */
export function pathsOf(value: unknown): PropertyKey[][] {
  if (!(value instanceof Object)) return [[]];
  return [
    [],
    ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner).map((path) => [key, ...path])),
  ];
}

/** A copy with `replacement` at the path. */
export function replace(value: unknown, [step, ...rest]: PropertyKey[], replacement: unknown): unknown {
  if (step === undefined) return replacement;
  const copy = structuredClone(value) as Record<PropertyKey, unknown>;
  copy[step] = replace(copy[step], rest, replacement);
  return copy;
}
