/** Parses each field of a configuration once, so that its valid parts can be checked though another part is wrong. */
import { z } from 'zod';
import type { Path } from './diagnostic.ts';
import type { BearerConfig } from './schema/bearer.ts';
import { allowedKeys, listOf } from './schema/field-types.ts';
import type { CertificateEntries } from './schema/listen.ts';
import type { EndpointConfig } from './schema/routes.ts';
import { type Config, configSchema } from './schema/schema.ts';
import type { SignatureConfig } from './schema/signature.ts';
import { type Fields, fieldsOf, isMapping, itemsOf } from './yaml-values.ts';

export type Issue = z.core.$ZodIssue;

/** The parts whose files are read; undefined: not valid. */
export interface ConfigParts {
  readonly certificates: readonly Located<CertificateEntries[number]>[];
  readonly resumption: Config['listen']['resumption'] | undefined;
  readonly trust: Config['trust'] | undefined;
  readonly clients: Config['clients'] | undefined;
  readonly routes: readonly RouteParts[];
  readonly audit: Config['audit'] | undefined;
  readonly tracing: Config['tracing'] | undefined;
}

export interface RouteParts {
  /** undefined: a field of the route is not valid. */
  readonly route: Config['routes'][number] | undefined;
  /** None where `upstream` is not valid; there may be some though the route is not valid. */
  readonly endpoints: readonly Located<EndpointConfig>[];
  /** undefined: absent, or not valid. */
  readonly bearer: BearerConfig | undefined;
  readonly signature: SignatureConfig | undefined;
}

/** An entry of a field that holds one mapping or a list of them: only in a list its path ends with an index. */
export interface Located<T> {
  readonly path: Path;
  readonly entry: T;
}

interface ParsedConfig {
  /** undefined: there are issues. */
  readonly config: Config | undefined;
  /** Those of `configSchema(folder).safeParse(value)`, in the same order. */
  readonly issues: readonly Issue[];
  readonly parts: ConfigParts;
}

let latest: { readonly folder: string; readonly schema: ReturnType<typeof configSchema> } | null = null;

/** To build the schema takes longer than to parse with it, and a reload parses with that of the start. */
function schemaFor(folder: string): ReturnType<typeof configSchema> {
  if (latest?.folder !== folder) latest = { folder, schema: configSchema(folder) };
  return latest.schema;
}

/** `value`: what the YAML holds. `folder`: the absolute one that relative paths start from. */
export function parseConfig(value: unknown, folder: string): ParsedConfig {
  const schema = schemaFor(folder);
  const { shape } = schema;
  const written = fieldsOf(value);
  const listen = parseMapping(shape.listen, written.listen);
  const items = itemsOf(written.routes).map((item) => ({
    item,
    ...parseMapping(shape.routes.element, item),
  }));
  const { data, issues, fields } = parseMapping(schema, value, {
    listen,
    routes: joinRoutes(written.routes, items),
  });
  const certificate = ['listen', 'certificate'];
  return {
    config: data,
    issues,
    parts: {
      certificates: locate(certificate, fieldsOf(written.listen).certificate, listen.fields.certificate),
      resumption: listen.fields.resumption,
      trust: fields.trust,
      clients: fields.clients,
      routes: items.map(({ item, data, fields: { upstream, ...guards } }, index): RouteParts => {
        const path = ['routes', index, 'upstream'];
        const { bearer, signature } = guards;
        const endpoints = locate(path, fieldsOf(item).upstream, upstream);
        return { route: data, endpoints, bearer, signature };
      }),
      audit: fields.audit,
      tracing: fields.tracing,
    },
  };
}

function locate<T>(path: Path, written: unknown, entries: readonly T[] = []): Located<T>[] {
  return entries.map((entry, index) => ({ path: Array.isArray(written) ? [...path, index] : path, entry }));
}

/** The result of `z.safeParse`, with a list of issues in each case. */
interface Parsed<T> {
  /** undefined: there are issues. */
  readonly data: T | undefined;
  readonly issues: readonly Issue[];
}

interface ParsedMapping<T extends z.ZodRawShape> extends Parsed<z.output<z.ZodObject<T>>> {
  /** The valid ones, and the defaults of absent ones. */
  readonly fields: { readonly [K in keyof T]?: z.output<T[K]> };
}

/** `done`: the results of fields that were parsed before. */
function parseMapping<T extends z.ZodRawShape>(
  mapping: z.ZodObject<T>,
  value: unknown,
  done: Readonly<Record<string, Parsed<unknown>>> = {},
): ParsedMapping<T> {
  const written = fieldsOf(value);
  const fields: Record<string, unknown> = {};
  const issues: Issue[] = [];
  for (const [key, field] of Object.entries(mapping.shape)) {
    if (!Object.hasOwn(written, key) && field instanceof z.ZodExactOptional) continue;
    const parsed = done[key] ?? parse(field, written[key]);
    if (parsed.issues.length === 0) fields[key] = parsed.data;
    issues.push(...parsed.issues.map((issue) => below(key, issue)));
  }
  const all = isMapping(value)
    ? [...issues, ...unknownKeys(mapping.shape, written)]
    : parse(mapping, value).issues;
  return {
    data: all.length === 0 ? (fields as z.output<z.ZodObject<T>>) : undefined,
    fields: fields as ParsedMapping<T>['fields'],
    issues: all,
  };
}

function parse<T extends z.core.$ZodType>(schema: T, value: unknown): Parsed<z.output<T>> {
  const { data, error } = z.safeParse(schema, value);
  return { data, issues: error?.issues ?? [] };
}

/** The list of routes, from its items: `value` is what the YAML holds for it. */
function joinRoutes(value: unknown, routes: readonly Parsed<unknown>[]): Parsed<unknown> {
  const list = parse(listOf(z.unknown(), 'routes'), value);
  if (list.issues.length > 0) return list;
  const issues = routes.flatMap((route, index) => route.issues.map((issue) => below(index, issue)));
  return { data: routes.map(({ data }) => data), issues };
}

function unknownKeys(shape: z.ZodRawShape, written: Fields): Issue[] {
  const keys = Object.keys(written).filter((key) => !Object.hasOwn(shape, key));
  if (keys.length === 0) return [];
  return [{ code: 'unrecognized_keys', keys, path: [], message: allowedKeys(shape) }];
}

function below(key: PropertyKey, issue: Issue): Issue {
  return { ...issue, path: [key, ...issue.path] };
}
