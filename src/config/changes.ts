/** Compares two configurations: which fields changed, and which of these need a restart. */
import type { LoadedConfig } from './load.ts';
import type { Config } from './schema/schema.ts';

/** Fields of sockets and files that are opened once, at the start. */
const fixed = [
  'listen.address',
  'listen.port',
  'relays',
  'admin.address',
  'admin.port',
  'audit.destination',
  'trust.cacheDir',
];

export interface ConfigChange {
  /** Section and field, such as `clients.pins`, in the order of the schema; without values. */
  readonly changed: readonly string[];
  /** Changed fields that take effect only after a restart. */
  readonly fixed: readonly string[];
  /** The new configuration, with the old values of `fixed`. */
  readonly effective: LoadedConfig;
}

export function compareConfigs(before: LoadedConfig, after: LoadedConfig): ConfigChange {
  const changed = Object.keys(after.config).flatMap((section) => {
    const [one, other] = [before, after].map(({ config }): unknown => config[section as keyof Config]);
    if (!isSection(one) || !isSection(other)) return equal(one, other) ? [] : [section];
    const fields = [...new Set([...Object.keys(one), ...Object.keys(other)])];
    return fields.filter((field) => !equal(one[field], other[field])).map((field) => `${section}.${field}`);
  });
  if (!equal(certificatesOf(before), certificatesOf(after))) changed.push('listen.certificate');
  if (!equal(before.resumptionSecret, after.resumptionSecret)) changed.push('listen.resumption');
  // If tracing was switched on or off, `tracing` is in the list already.
  if (before.tracing !== null && after.tracing !== null) {
    if (!equal(before.tracing.headers, after.tracing.headers)) changed.push('tracing.headersFile');
    if (!equal(before.tracing.ca, after.tracing.ca)) changed.push('tracing.tls');
  }
  return {
    changed: [...new Set(changed)].filter((path) => !fixed.includes(path)),
    fixed: changed.filter((path) => fixed.includes(path)),
    effective: { ...after, config: withFixed(before.config, after.config) },
  };
}

function withFixed(before: Config, after: Config): Config {
  const { address, port } = before.listen;
  const { admin } = before;
  return {
    ...after,
    listen: { ...after.listen, address, port },
    trust: { ...after.trust, cacheDir: before.trust.cacheDir },
    relays: before.relays,
    admin: { ...after.admin, address: admin.address, port: admin.port },
    audit: { ...after.audit, destination: before.audit.destination },
  };
}

/** PEM of the certificates and keys: a file may have new content under the same path. */
function certificatesOf({ serverCertificates }: LoadedConfig): unknown {
  return serverCertificates.map(({ certificate }) => certificate);
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function equal(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
