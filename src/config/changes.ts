/** Compares two configurations: which fields changed, and which of these need a restart. */
import { createPublicKey } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { sourceOf } from './files/key-sources.ts';
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
  'audit.format',
  'audit.seal',
  'audit.rotate',
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
  if (!equal(keyOf(before), keyOf(after))) changed.push('audit.seal');
  // If tracing was switched on or off, `tracing` is in the list already.
  if (before.tracing !== null && after.tracing !== null) {
    if (!equal(before.tracing.headers, after.tracing.headers)) changed.push('tracing.headersFile');
    if (!equal(before.tracing.ca, after.tracing.ca)) changed.push('tracing.tls');
  }
  changed.push(...changedKeySets(before, after));
  if (!isDeepStrictEqual(before.introspections, after.introspections)) changed.push('routes');
  if (!isDeepStrictEqual(secretsOf(before), secretsOf(after))) changed.push('routes');
  const paths = [...new Set(changed)];
  return {
    changed: paths.filter((path) => !fixed.includes(path)),
    fixed: paths.filter((path) => fixed.includes(path)),
    effective: { ...after, auditKey: before.auditKey, config: withFixed(before.config, after.config) },
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
    audit: auditWithFixed(before.audit, after.audit),
  };
}

function auditWithFixed(
  before: Config['audit'],
  { seal, rotate, ...after }: Config['audit'],
): Config['audit'] {
  const { destination, format } = before;
  return {
    ...after,
    destination,
    format,
    ...(before.seal && { seal: before.seal }),
    ...(before.rotate && { rotate: before.rotate }),
  };
}

/** The public key, in PEM: the file may have another key under the same path. */
function keyOf({ auditKey }: LoadedConfig): unknown {
  return auditKey && createPublicKey(auditKey).export({ type: 'spki', format: 'pem' });
}

/** PEM of the certificates and keys: a file may have new content under the same path. */
function certificatesOf({ serverCertificates }: LoadedConfig): unknown {
  return serverCertificates.map(({ certificate }) => certificate);
}

/** The secrets of senders: a file may have another one under the same path. */
function secretsOf({ routes }: LoadedConfig): unknown {
  return routes.map(({ signature }) => signature?.hmac?.secret);
}

/** The fields whose key sets have other content: the keys of a file, the CAs that verify a URL. */
function changedKeySets(before: LoadedConfig, after: LoadedConfig): string[] {
  const contentOf = ({ keySources }: LoadedConfig) =>
    new Map(keySources.map((each) => [each.source, each.kind === 'file' ? each.keys : each.ca]));
  const [old, current] = [contentOf(before), contentOf(after)];
  const { registered } = after.config.clients;
  const ofClients = [registered?.jwks, registered?.inactive].flatMap((each) => each && sourceOf(each));
  return [...current].flatMap(([source, content]) => {
    if (!old.has(source) || equal(old.get(source), content)) return [];
    return ofClients.includes(source) ? 'clients.registered' : 'routes';
  });
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function equal(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
