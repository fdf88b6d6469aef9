/** Checks of JSON values: what is not of the expected shape is named, and nothing is thrown. */

/** The first fault, such as `refused[3].time is missing`; null: the value is a `T`. */
export type Shape<T> = ((value: unknown, path: string) => string | null) & { readonly of?: T };

/** Any string; a gateway of the same version may know more words than this page. */
export function word<T extends string>(): Shape<T> {
  return (value, path) => (typeof value === 'string' ? null : fault(value, path, 'a string'));
}

export const text: Shape<string> = word<string>();

export const flag: Shape<boolean> = (value, path) =>
  typeof value === 'boolean' ? null : fault(value, path, 'true or false');

export const number: Shape<number> = (value, path) =>
  typeof value === 'number' && Number.isFinite(value) ? null : fault(value, path, 'a number');

export const time: Shape<string> = (value, path) =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? null : fault(value, path, 'a time');

export function optional<T>(shape: Shape<T>): Shape<T | null> {
  return (value, path) => (value === null ? null : shape(value, path));
}

export function list<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) return fault(value, path, 'a list');
    for (const [index, each] of value.entries()) {
      const found = shape(each, `${path}[${index}]`);
      if (found !== null) return found;
    }
    return null;
  };
}

/** Fields that are not named here are ignored. */
export function record<T extends object>(fields: { readonly [K in keyof T]: Shape<T[K]> }): Shape<T> {
  const checks = Object.entries(fields) as [string, Shape<unknown>][];
  return (value, path) => {
    if (!isRecord(value)) return fault(value, path, 'an object');
    for (const [name, shape] of checks) {
      const found = shape(value[name], path === '' ? name : `${path}.${name}`);
      if (found !== null) return found;
    }
    return null;
  };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fault(value: unknown, path: string, expected: string): string {
  return value === undefined ? `${path} is missing` : `${path} is not ${expected}`;
}
