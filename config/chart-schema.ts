/** The schema of the chart's values: its own values, and under `config` the gateway's fields that the chart does not set itself. */
import { z } from 'zod';
import { configSchema } from '../src/config/schema/schema.ts';
import { chartValues } from './chart-values.ts';

type Json = Record<string, unknown>;

/** Fields of the configuration that the chart derives from other values. */
const chartSets = [
  'listen.address',
  'listen.port',
  'listen.certificate',
  'listen.proxyProtocol',
  'listen.resumption.secretFile',
  'trust.cacheDir',
  'audit.seal.key',
  'admin',
];

/** Required fields that the templates check instead: they may be in different values files, and only templates see these merged. */
const checkedByTemplates = ['listen', 'trust', 'trust.anchors', 'routes'];

/** Every version of Helm 3 supports draft 7. */
const options = { io: 'input', target: 'draft-7' } as const;

export function chartSchema(): Json {
  const schema = jsonOf(chartValues);
  const { $schema, ...config } = jsonOf(configSchema('/'));
  for (const path of chartSets) removeField(config, path.split('.'));
  for (const path of checkedByTemplates) makeOptional(config, path.split('.'));
  const properties = { ...(schema.properties as Json), config: withBooleans(config) };
  return { ...schema, properties, required: ['config', ...(schema.required as string[])] };
}

function jsonOf(schema: z.ZodType): Json {
  const omitted = ['allowed', 'like', 'default'];
  const json = JSON.stringify(z.toJSONSchema(schema, options), (key, value) =>
    omitted.includes(key) ? undefined : value,
  );
  return JSON.parse(json) as Json;
}

/** The alternatives of a schema that are mappings. */
function mappingsOf(schema: Json): Json[] {
  const all = Array.isArray(schema.anyOf) ? (schema.anyOf as Json[]) : [schema];
  return all.filter(({ properties }) => properties instanceof Object);
}

/** Removes a field. */
function removeField(schema: Json, [field = '', ...rest]: readonly string[]): void {
  for (const mapping of mappingsOf(schema)) {
    const properties = mapping.properties as Record<string, Json>;
    if (rest.length > 0) removeField(properties[field] ?? {}, rest);
    else delete properties[field];
  }
  if (rest.length === 0) makeOptional(schema, [field]);
}

/** Makes a required field optional. */
function makeOptional(schema: Json, [field = '', ...rest]: readonly string[]): void {
  for (const mapping of mappingsOf(schema)) {
    if (rest.length > 0) makeOptional((mapping.properties as Record<string, Json>)[field] ?? {}, rest);
    else mapping.required = ((mapping.required ?? []) as string[]).filter((name) => name !== field);
  }
}

/** Helm's YAML parser reads `off` and `on` as booleans; the chart's templates convert them back. */
function withBooleans(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withBooleans);
  if (!(schema instanceof Object)) return schema;
  const json = schema as Json;
  const keywords = Array.isArray(json.enum) ? json.enum : [json.const];
  const allows = (keyword: string) =>
    keywords.includes(keyword) || String(json.pattern).includes(`|${keyword}|`);
  const booleans = [...(allows('off') ? [false] : []), ...(allows('on') ? [true] : [])];
  if (booleans.length === 0) {
    return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, withBooleans(value)]));
  }
  const { description, ...rest } = json;
  const widened =
    'pattern' in rest ? { anyOf: [rest, { enum: booleans }] } : { enum: [...keywords, ...booleans] };
  return { ...(description ? { description } : {}), ...widened };
}
