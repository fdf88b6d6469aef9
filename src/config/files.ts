/** The files that a configuration is made of: a change in any of them is a change of the configuration. */
import { isAbsolute } from 'node:path';
import type { z } from 'zod';
import type { certificateSchema, resumptionSchema } from './listen-schema.ts';
import type { trustSchema } from './trust-schema.ts';

interface NamedFiles {
  /** The configuration itself. */
  readonly file: string;
  readonly certificates: z.output<ReturnType<typeof certificateSchema>>;
  readonly resumption: z.output<ReturnType<typeof resumptionSchema>>;
  readonly trust: z.output<ReturnType<typeof trustSchema>> | undefined;
}

/** Absolute paths, each once. */
export function filesOf({ file, certificates, resumption, trust }: NamedFiles): string[] {
  const { anchors = [], candidates = [] } = trust ?? {};
  const files = [
    file,
    ...certificates.flatMap(({ chain, key, passphraseFile }) => [chain, key, passphraseFile]),
    resumption?.secretFile,
    ...[...anchors, ...candidates].flatMap(({ files = [], tls, revocation: { crl } }) => [
      ...files,
      tls?.ca,
      ...(Array.isArray(crl) ? crl.filter((source) => isAbsolute(source)) : []),
    ]),
  ];
  return [...new Set(files.filter((path) => path !== undefined))];
}
