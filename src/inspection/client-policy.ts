/** The anchors, pins and match rules of a configuration, by which `certs inspect --config` judges client certificates. */
import type { Config } from '../config/schema/schema.ts';
import { ConfigError } from '../errors.ts';
import { type AnchorStatus, readAnchorStatus, type StatusOptions } from '../trust/anchor-status.ts';
import { TrustError } from '../trust/configured-anchors.ts';
import type { JudgementContext } from './judgement.ts';

/** `file`: of the configuration. Throws ConfigError for anchors that cannot be used. */
export async function readClientPolicy(
  { trust, clients, limits }: Config,
  { file, now }: { readonly file: string; readonly now: number },
): Promise<Omit<JudgementContext, 'now'>> {
  const { anchors, cacheDir } = trust;
  const status = await readStatus({ anchors, list: 'anchors', cacheDir, accept: () => null, now }, file);
  return {
    anchors: status.flatMap(({ state }) => state ?? []),
    anchorsFrom: file,
    pins: clients.pins === undefined ? null : new Set(clients.pins),
    match: clients.match ?? null,
    maxLeafBytes: limits.certificateBytes,
  };
}

async function readStatus(options: StatusOptions, file: string): Promise<AnchorStatus[]> {
  try {
    return await readAnchorStatus(options);
  } catch (error) {
    if (!(error instanceof TrustError)) throw error;
    throw new ConfigError(error.problems.map((problem) => ({ file, line: 1, column: 1, ...problem })));
  }
}
