/** Validates custom resources with the definitions that their projects publish. */
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import type { KubernetesObject } from './chart.ts';

type Json = Record<string, unknown>;

const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');

/** The folder in which `.ci/tools crds` puts them, with a folder for each project. */
export const definitionsFolder = join(cache, 'ehi-gateway-tools', 'crds');

export function hasDefinition(object: KubernetesObject): boolean {
  return definitionOf(object) !== undefined;
}

/** The issues of the object as zod reports them. @throws Error if its definition is missing. */
export function problemsOf(object: KubernetesObject): string[] {
  const definition = definitionOf(object);
  if (definition === undefined) throw new Error(`no definition of ${object.apiVersion} ${object.kind}`);
  const schema = z.fromJSONSchema(close(definition) as Parameters<typeof z.fromJSONSchema>[0]);
  const { error } = schema.safeParse(object);
  return error?.issues.map(({ path, message }) => `${path.join('.')}: ${message}`) ?? [];
}

interface Version {
  readonly name: string;
  readonly schema: { readonly openAPIV3Schema: object };
}

function definitionOf({ apiVersion, kind }: KubernetesObject): object | undefined {
  const [group, version] = apiVersion.split('/');
  for (const file of readdirSync(definitionsFolder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith(`/${group}_${kind.toLowerCase()}s.yaml`)) continue;
    const { spec } = parse(readFileSync(join(definitionsFolder, file), 'utf8'));
    return (spec.versions as Version[]).find(({ name }) => name === version)?.schema.openAPIV3Schema;
  }
  return undefined;
}

/** The schema with no unknown keys allowed: an API server drops unknown fields silently. */
function close(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(close);
  if (!(schema instanceof Object)) return schema;
  const { format, ...json } = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, close(value)]),
  ) as Json;
  // A flag of Go's regular expressions that JavaScript does not have.
  if (String(json.pattern).includes('(?i)')) delete json.pattern;
  if (json['x-kubernetes-int-or-string'] === true)
    return { anyOf: [{ type: 'integer' }, { type: 'string' }] };
  const isOpen = json['x-kubernetes-preserve-unknown-fields'] === true || 'additionalProperties' in json;
  return json.properties instanceof Object && json.type === 'object' && !isOpen
    ? { ...json, additionalProperties: false }
    : json;
}
