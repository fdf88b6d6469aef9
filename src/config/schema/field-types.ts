/** The types of configuration fields. Each has a phrase for what it allows, which is the message of its issues. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { durationPattern, parseDuration, parseSize, sizePattern } from './units.ts';

/** A text that matches `pattern`, and for which `parse` does not return undefined. Without `parse` the output is the text. */
export function formatted<T = string>(options: {
  readonly allowed: string;
  readonly pattern?: RegExp;
  readonly parse?: (text: string) => T | undefined;
}) {
  const { allowed, pattern, parse = (text: string) => text as T } = options;
  // YAML reads 123 and true as number and boolean: if the text would be valid, the quotes are missing.
  const isUnquoted = (input: unknown) =>
    ['number', 'boolean'].includes(typeof input) &&
    (pattern?.test(String(input)) ?? true) &&
    parse(String(input)) !== undefined;
  return z
    .string({ error: ({ input }) => (isUnquoted(input) ? `${allowed}, as a text in quotes` : allowed) })
    .meta({ allowed, ...(pattern ? { pattern: pattern.source } : { minLength: 1 }) })
    .transform((text, context): T => {
      const value = (pattern?.test(text) ?? true) ? parse(text) : undefined;
      if (value !== undefined) return value;
      context.issues.push({ code: 'custom', message: allowed, input: text });
      return z.NEVER;
    });
}

/** A text that is not only white space; the output is unchanged. */
export function nonEmptyText(allowed: string) {
  return formatted({ allowed, parse: (value) => (value.trim() === '' ? undefined : value) });
}

/** A path, absolute after parsing unless it is one of `keywords`. Control characters are refused. */
export function file(folder: string, allowed = 'the path of a file', keywords: readonly string[] = []) {
  return formatted({
    allowed,
    parse: (path) => (keywords.includes(path) ? path : parsePath(folder, path)),
  });
}

/** The absolute path; undefined if `path` is not valid. */
export function parsePath(folder: string, path: string): string | undefined {
  return path.trim() === '' || /\p{Cc}/u.test(path) ? undefined : resolve(folder, path);
}

/** Milliseconds. */
export function duration(min = '1ms', max = '596h') {
  const [minTime = 0, maxTime = 0] = [min, max].map(parseDuration);
  return formatted({
    allowed: `a whole number and its unit ms, s, m or h, such as 1500ms, from ${min} to ${max}`,
    parse: (value) => {
      const time = parseDuration(value);
      return time === undefined || time < minTime || time > maxTime ? undefined : time;
    },
    pattern: durationPattern,
  });
}

/** Bytes. */
export function size(max: string, min = '1B') {
  const [minBytes = 0, maxBytes = 0] = [min, max].map(parseSize);
  return formatted({
    allowed: `a whole number and its unit B, KiB or MiB, such as 16KiB, from ${min} to ${max}`,
    parse: (value) => {
      const bytes = parseSize(value);
      return bytes === undefined || bytes < minBytes || bytes > maxBytes ? undefined : bytes;
    },
    pattern: sizePattern,
  });
}

export function count(min: number, max: number) {
  const allowed = `a whole number from ${min} to ${max}`;
  const isQuoted = (input: unknown) => typeof input === 'string' && /^\d+$/.test(input);
  return z
    .int({ error: ({ input }) => (isQuoted(input) ? `${allowed}, without quotes` : allowed) })
    .min(min, allowed)
    .max(max, allowed)
    .meta({ allowed });
}

export function flag() {
  const allowed = 'true or false';
  const isQuoted = (input: unknown) => input === 'true' || input === 'false';
  return z
    .boolean({ error: ({ input }) => (isQuoted(input) ? `${allowed}, without quotes` : allowed) })
    .meta({ allowed });
}

export function choice<const T extends readonly string[]>(...values: T) {
  const allowed = values.join(' or ');
  return z.enum(values, allowed).meta({ allowed });
}

/** At least one item, and at most `max` where it is given. */
export function listOf<T extends z.ZodType>(item: T, things: string, max?: number) {
  const allowed = `a list of ${things}`;
  const list = z.array(item, allowed).min(1, `${allowed}, at least one`);
  return (max === undefined ? list : list.max(max, `${allowed}, at most ${max}`)).meta({ allowed });
}

/** A mapping with these keys and no others. */
export function mapping<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, allowedKeys(shape));
}

/** `the keys chain (required), key (required), passphraseFile`. */
export function allowedKeys(shape: z.ZodRawShape): string {
  const names = Object.entries(shape).map(([key, value]) =>
    value._zod.optin === undefined ? `${key} (required)` : key,
  );
  return `the keys ${names.join(', ')}`;
}

/** A mapping with these keys and no others, and with at least one of them. */
export function nonEmptyMapping<T extends z.ZodRawShape>(shape: T) {
  return mapping(shape)
    .refine((fields) => Object.keys(fields).length > 0, {
      error: 'at least one field',
      when: ({ issues }) => issues.length === 0,
    })
    .meta({ minProperties: 1 });
}

/** One mapping or a list of them; the output is a list. */
export function oneOrMany<T extends z.ZodType>(one: T, things: string) {
  return z
    .union([one, listOf(one, things)], `one mapping or a list of ${things}`)
    .transform((value) => [value].flat() as z.output<T>[]);
}
