/** Accessors for the values of the YAML before they are validated. */
import type { Path } from './diagnostic.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Empty for a value that is not a mapping. */
export function fieldsOf(value: unknown): Fields {
  return isMapping(value) ? value : {};
}

export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (value instanceof Object ? Reflect.get(value, step) : undefined),
    root,
  );
}

/** The items of a list; a value that is not a list is its only item; none for undefined. */
export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

/** The indices of items whose key equals the key of an earlier item; keys that are not texts are ignored. */
export function duplicates<T>(items: readonly T[], keyOf: (item: T) => unknown): number[] {
  const seen = new Set<unknown>();
  return items.flatMap((item, index) => {
    const key = keyOf(item);
    if (typeof key !== 'string') return [];
    if (seen.has(key)) return [index];
    seen.add(key);
    return [];
  });
}
