/** The schema of the chart's values: its own, and under `config` the gateway's, less what the chart sets itself. */
import { z } from 'zod';
import { configSchema } from '../src/config/schema/schema.ts';
import { chartValues } from './chart-values.ts';

type Json = Record<string, unknown>;

/** Fields of the configuration that follow from other values of the chart. */
const chartSets = [
  'listen.address',
  'listen.port',
  'listen.certificate',
  'listen.proxyProtocol',
  'listen.resumption.secretFile',
  'trust.cacheDir',
  'admin',
];

/** What is required, but may come in several values files: the chart's templates look for it when all are merged. */
const askedForByTemplates = ['listen', 'trust', 'trust.anchors', 'routes'];

/** Helm 3 reads draft 7 in all its versions. */
const options = { io: 'input', target: 'draft-7' } as const;

export function chartSchema(): Json {
  const schema = jsonOf(chartValues);
  const { $schema, ...config } = jsonOf(configSchema('/'));
  for (const path of chartSets) take(config, path.split('.'));
  for (const path of askedForByTemplates) waive(config, path.split('.'));
  const properties = { ...(schema.properties as Json), config: withBooleans(config) };
  return { ...schema, properties, required: ['config', ...(schema.required as string[])] };
}

function jsonOf(schema: z.ZodType): Json {
  const told = ['allowed', 'like', 'default'];
  const json = JSON.stringify(z.toJSONSchema(schema, options), (key, value) =>
    told.includes(key) ? undefined : value,
  );
  return JSON.parse(json) as Json;
}

/** The mappings that a part of a schema may be. */
function mappingsOf(schema: Json): Json[] {
  const all = Array.isArray(schema.anyOf) ? (schema.anyOf as Json[]) : [schema];
  return all.filter(({ properties }) => properties instanceof Object);
}

/** No longer a field. */
function take(schema: Json, [field = '', ...rest]: readonly string[]): void {
  for (const mapping of mappingsOf(schema)) {
    const properties = mapping.properties as Record<string, Json>;
    if (rest.length > 0) take(properties[field] ?? {}, rest);
    else delete properties[field];
  }
  if (rest.length === 0) waive(schema, [field]);
}

/** No longer a required field. */
function waive(schema: Json, [field = '', ...rest]: readonly string[]): void {
  for (const mapping of mappingsOf(schema)) {
    if (rest.length > 0) waive((mapping.properties as Record<string, Json>)[field] ?? {}, rest);
    else mapping.required = ((mapping.required ?? []) as string[]).filter((name) => name !== field);
  }
}

/** Helm's YAML reads the words `off` and `on` as booleans; the chart's templates make them words again. */
function withBooleans(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withBooleans);
  if (!(schema instanceof Object)) return schema;
  const json = schema as Json;
  const words = Array.isArray(json.enum) ? json.enum : [json.const];
  const says = (word: string) => words.includes(word) || String(json.pattern).includes(`|${word}|`);
  const booleans = [...(says('off') ? [false] : []), ...(says('on') ? [true] : [])];
  if (booleans.length === 0) {
    return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, withBooleans(value)]));
  }
  const { description, ...said } = json;
  const widened =
    'pattern' in said ? { anyOf: [said, { enum: booleans }] } : { enum: [...words, ...booleans] };
  return { ...(description ? { description } : {}), ...widened };
}
