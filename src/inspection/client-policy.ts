/** The anchors, pins and match rules of a configuration, by which `certs inspect --config` judges client certificates. */
import type { Config } from '../config/schema/schema.ts';
import { readAnchorStatus } from '../trust/anchor-status.ts';
import type { JudgementContext } from './judgement.ts';

/** `file`: of the configuration. Throws TrustError, or GatewayError for a cache that cannot be read. */
export async function readClientPolicy(
  { trust, clients, limits }: Config,
  { file, now }: { readonly file: string; readonly now: number },
): Promise<Omit<JudgementContext, 'now'>> {
  const { anchors, cacheDir } = trust;
  const status = await readAnchorStatus({ anchors, list: 'anchors', cacheDir, accept: () => null, now });
  return {
    anchors: status.flatMap(({ state }) => state ?? []),
    anchorsFrom: file,
    pins: clients.pins === undefined ? null : new Set(clients.pins),
    match: clients.match ?? null,
    maxLeafBytes: limits.certificateBytes,
  };
}
