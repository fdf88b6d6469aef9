/** Renders the chart with helm. */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse, parseAllDocuments } from 'yaml';

export const chart = fileURLToPath(new URL('../../../helm/ehi-gateway/', import.meta.url));

/** The Kubernetes version of the schemas; the chart supports older ones too. */
export const kubernetes = '1.37.0';

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly labels?: Record<string, string>;
    readonly annotations?: Record<string, string>;
  };
  // biome-ignore lint/suspicious/noExplicitAny: objects of any kind, whose type each test knows
  readonly [field: string]: any;
}

/** Names of value sets: `helm/ehi-gateway/ci/NAME-values.yaml`. */
export const valueSets = readdirSync(`${chart}ci`)
  .map((file) => file.replace(/-values\.yaml$/, ''))
  .sort();

export function valuesFile(set: string): string {
  return `${chart}ci/${set}-values.yaml`;
}

export function valuesOf(set: string): Record<string, unknown> {
  return parse(readFileSync(valuesFile(set), 'utf8'), { merge: true });
}

/** Runs a command from the PATH; returns both outputs. */
export function command(name: string, args: readonly string[], input?: string) {
  const { status, stdout, stderr, error } = spawnSync(name, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    ...(input === undefined ? {} : { input }),
  });
  if (error) throw error;
  return { status, stdout, stderr };
}

/** `helm template` with a value set, and values over it (undefined: none). */
export function template(set: string | null, values: object = {}) {
  return command(
    'helm',
    [
      ...['template', 'edge', chart, '--namespace', 'cards', '--kube-version', kubernetes],
      ...(set === null ? [] : ['--values', valuesFile(set)]),
      ...['--values', '-'],
    ],
    JSON.stringify(values),
  );
}

/** The text of all objects. @throws Error if helm refuses the values. */
export function renderText(set: string, values?: object): string {
  const { status, stdout, stderr } = template(set, values);
  if (status !== 0) throw new Error(stderr);
  return stdout;
}

export function render(set: string, values?: object): KubernetesObject[] {
  return objectsIn(renderText(set, values));
}

export function objectsIn(text: string): KubernetesObject[] {
  // Kubernetes reads YAML 1.1: 0440 is octal there.
  return parseAllDocuments(text, { version: '1.1' })
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}

/** The only object of a kind, or of a kind and a name. @throws Error if there is not exactly one. */
export function one(objects: readonly KubernetesObject[], kind: string, name?: string): KubernetesObject {
  const found = objects.filter((object) => {
    return object.kind === kind && (name === undefined || object.metadata.name === name);
  });
  const [object] = found;
  if (object === undefined || found.length > 1) throw new Error(`${found.length} objects of kind ${kind}`);
  return object;
}

/** The pod template of the Deployment or DaemonSet. */
export function podOf(objects: readonly KubernetesObject[]) {
  const workload = objects.find(({ kind }) => ['Deployment', 'DaemonSet'].includes(kind));
  return workload?.spec.template;
}

export function configTextOf(objects: readonly KubernetesObject[]): string {
  const map = objects.find(({ kind, data }) => kind === 'ConfigMap' && data?.['gateway.yaml'] !== undefined);
  return map?.data['gateway.yaml'];
}

export function configOf(objects: readonly KubernetesObject[]) {
  return parse(configTextOf(objects));
}
