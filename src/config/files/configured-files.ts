/** The parts of a configuration that name files, each read even while another part is wrong. */
import { isAbsolute } from 'node:path';
import type { z } from 'zod';
import {
  type CertificateEntries,
  certificateSchema,
  type Resumption,
  resumptionSchema,
} from '../schema/listen.ts';
import type { EndpointConfig } from '../schema/routes.ts';
import { type TracingConfig, tracingSchema } from '../schema/tracing.ts';
import { trustSchema } from '../schema/trust.ts';
import { valueAt } from '../yaml-values.ts';
import { readUpstreams } from './routes.ts';

/** Empty, null or absent: not there, or not well-formed. */
export interface FileSections {
  readonly certificates: CertificateEntries;
  readonly resumption: Resumption;
  readonly trust: z.output<ReturnType<typeof trustSchema>> | undefined;
  /** Of all routes. */
  readonly endpoints: readonly EndpointConfig[];
  readonly tracing: TracingConfig;
}

/** `config`: whatever the YAML says. */
export function readFileSections(config: unknown, folder: string): FileSections {
  const { data: certificates = [] } = certificateSchema(folder).safeParse(
    valueAt(config, ['listen', 'certificate']),
  );
  const { data: resumption = null } = resumptionSchema(folder).safeParse(
    valueAt(config, ['listen', 'resumption']),
  );
  const { data: trust } = trustSchema(folder).safeParse(valueAt(config, ['trust']));
  const endpoints = readUpstreams(valueAt(config, ['routes']), folder).flat();
  const { data: tracing = null } = tracingSchema(folder).safeParse(valueAt(config, ['tracing']));
  return { certificates, resumption, trust, endpoints, tracing };
}

/** Absolute paths of every file that is read at a load. */
export function filesOf({ certificates, resumption, trust, endpoints, tracing }: FileSections): Set<string> {
  const { anchors = [], candidates = [] } = trust ?? {};
  const upstreams = endpoints.flatMap(({ tls }) => tls ?? []);
  const clients = upstreams.flatMap(({ certificate }) => certificate ?? []);
  const files = [
    ...[...certificates, ...clients].flatMap(({ chain, key, passphraseFile }) => [
      chain,
      key,
      passphraseFile,
    ]),
    ...upstreams.map(({ ca }) => ca),
    resumption?.secretFile,
    tracing?.headersFile,
    tracing?.tls?.ca,
    ...[...anchors, ...candidates].flatMap(({ files = [], tls, revocation: { crl } }) => [
      ...files,
      tls?.ca,
      ...(Array.isArray(crl) ? crl.filter((source) => isAbsolute(source)) : []),
    ]),
  ];
  return new Set(files.filter((path) => path !== undefined));
}
