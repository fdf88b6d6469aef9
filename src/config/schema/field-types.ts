/** The building blocks of the schema: each says in one phrase what it allows, which is what a problem then says. */
import { resolve } from 'node:path';
import { z } from 'zod';
import { durationPattern, parseDuration, parseSize, sizePattern } from './units.ts';

/** A text in some notation: it fits the pattern, and `parse` does not answer undefined. Without `parse`: the text. */
export function notation<T = string>(options: {
  readonly allowed: string;
  readonly pattern?: RegExp;
  readonly parse?: (text: string) => T | undefined;
}) {
  const { allowed, pattern, parse = (text: string) => text as T } = options;
  // YAML reads 123 and true as number and flag: where the same as a text would do, quotes are what is missing.
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

/** A text that holds more than white space, taken as it stands. */
export function text(allowed: string) {
  return notation({ allowed, parse: (value) => (value.trim() === '' ? undefined : value) });
}

/** A path, absolute after parsing unless it is one of `words`. Control characters are refused: no file has them. */
export function file(folder: string, allowed = 'the path of a file', words: readonly string[] = []) {
  return notation({
    allowed,
    parse: (path) => (words.includes(path) ? path : parsePath(folder, path)),
  });
}

/** The absolute path; undefined: none. */
export function parsePath(folder: string, path: string): string | undefined {
  return path.trim() === '' || /\p{Cc}/u.test(path) ? undefined : resolve(folder, path);
}

/** Milliseconds. */
export function duration(least = '1ms', most = '596h') {
  const [shortest = 0, longest = 0] = [least, most].map(parseDuration);
  return notation({
    allowed: `a whole number and its unit ms, s, m or h, such as 1500ms, from ${least} to ${most}`,
    parse: (value) => {
      const time = parseDuration(value);
      return time === undefined || time < shortest || time > longest ? undefined : time;
    },
    pattern: durationPattern,
  });
}

/** Bytes. */
export function size(most: string) {
  return notation({
    allowed: `a whole number and its unit B, KiB or MiB, such as 16KiB, from 1B to ${most}`,
    parse: (value) => {
      const bytes = parseSize(value);
      return bytes === undefined || bytes === 0 || bytes > (parseSize(most) ?? 0) ? undefined : bytes;
    },
    pattern: sizePattern,
  });
}

export function count(least: number, most: number) {
  const allowed = `a whole number from ${least} to ${most}`;
  const isQuoted = (input: unknown) => typeof input === 'string' && /^\d+$/.test(input);
  return z
    .int({ error: ({ input }) => (isQuoted(input) ? `${allowed}, without quotes` : allowed) })
    .min(least, allowed)
    .max(most, allowed)
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

/** `most`: items, where there is a limit. */
export function listOf<T extends z.ZodType>(item: T, things: string, most?: number) {
  const allowed = `a list of ${things}`;
  const list = z.array(item, allowed).min(1, `${allowed}, at least one`);
  return (most === undefined ? list : list.max(most, `${allowed}, at most ${most}`)).meta({ allowed });
}

/** A mapping with these keys and no others. */
export function section<T extends z.ZodRawShape>(shape: T) {
  return z.strictObject(shape, allowedKeys(shape));
}

/** `the keys chain (required), key (required), passphraseFile`. */
export function allowedKeys(shape: z.ZodRawShape): string {
  const names = Object.entries(shape).map(([key, value]) =>
    value._zod.optin === undefined ? `${key} (required)` : key,
  );
  return `the keys ${names.join(', ')}`;
}

/** The same, and not empty. */
export function someOf<T extends z.ZodRawShape>(shape: T) {
  return section(shape)
    .refine((fields) => Object.keys(fields).length > 0, {
      error: 'at least one field',
      when: ({ issues }) => issues.length === 0,
    })
    .meta({ minProperties: 1 });
}

/** One mapping or a list of them, a list after parsing. */
export function oneOrMany<T extends z.ZodType>(one: T, things: string) {
  return z
    .union([one, listOf(one, things)], `one mapping or a list of ${things}`)
    .transform((value) => [value].flat() as z.output<T>[]);
}
