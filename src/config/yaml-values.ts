/** Values as the YAML says them, looked into without trusting their shape. */

import type { Path } from './document.ts';

export type Fields = Readonly<Record<string, unknown>>;

export function isMapping(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Empty where the value is no mapping. */
export function fieldsOf(value: unknown): Fields {
  return isMapping(value) ? value : {};
}

export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, step) => (value instanceof Object ? Reflect.get(value, step) : undefined),
    root,
  );
}

export function itemsOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}

/** The indices of items whose text another one before them has; what is no text is passed over. */
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
