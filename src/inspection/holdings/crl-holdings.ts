/** The CRLs of a trust anchor: configured files, and the last good ones that a gateway has fetched into its cache. */

import { isAbsolute } from 'node:path';
import type { Config } from '../../config/schema/schema.ts';
import type { Certificate } from '../../pki/certificate.ts';
import { resolveAddress } from '../../revocation/addresses.ts';
import { readCrlFile } from '../../revocation/crl/file.ts';
import { readCrl } from '../../revocation/crl/reader.ts';
import { loadCrl, storedAddresses } from '../../revocation/crl/store.ts';
import { revocationFolders } from '../../revocation/service.ts';
import { MAX_BYTES } from '../reading/web-source.ts';
import { reasonOf } from './file-holdings.ts';
import type { Holding, Use } from './holding.ts';

type RevocationConfig = Config['trust']['anchors'][number]['revocation'];

export interface CrlPlace extends Omit<Use, 'source' | 'purpose'> {
  readonly cacheDir: string;
  /** As the revocation service names it. */
  readonly anchor: string;
  /** Of the anchor, the root first: one of them must have signed each CRL. */
  readonly certificates: readonly Certificate[];
}

export async function crlHoldings(
  { crl, scope }: RevocationConfig,
  { cacheDir, anchor, certificates, ...place }: CrlPlace,
): Promise<Holding[]> {
  if (crl === 'off') return [];
  const use = { ...place, path: `${place.path}.revocation.crl`, purpose: 'crl' } as const;
  const files = crl === 'auto' ? [] : crl.filter(isAbsolute);
  const { crl: folder } = revocationFolders(cacheDir, anchor);
  const stored = await storedAddresses(folder);
  const named = crl === 'auto' ? (scope === 'chain' ? addressesOf(certificates) : []) : addressesIn(crl);
  const urls = [...new Set([...named, ...(crl === 'auto' ? stored : [])])];
  return Promise.all([
    ...files.map((file) => readHolding({ ...use, source: file }, { file, fetchedAt: null, certificates })),
    ...urls.map(async (url) => {
      const source = { ...use, source: url };
      try {
        const found = await loadCrl({ folder, url });
        if (found === null)
          return {
            ...source,
            kind: 'fault',
            detail: 'nothing was fetched yet, or the cache is on another machine',
          } as const;
        return await readHolding(source, { ...found, certificates });
      } catch (cause) {
        return { ...source, kind: 'fault', detail: reasonOf(cause) } as const;
      }
    }),
  ]);
}

/** The addresses in the CAs below the root: those of clients are known once a client has come. */
function addressesOf([, ...cas]: readonly Certificate[]): string[] {
  return cas.flatMap(({ crlDistributionPoints }) =>
    addressesIn(crlDistributionPoints.flatMap(({ urls }) => urls)),
  );
}

function addressesIn(addresses: readonly string[]): string[] {
  return addresses
    .filter((address) => !isAbsolute(address))
    .map(resolveAddress)
    .flatMap(({ address, objection }) => (objection === null ? [address] : []));
}

async function readHolding(
  use: Use,
  options: {
    readonly file: string;
    readonly fetchedAt: number | null;
    readonly certificates: readonly Certificate[];
  },
): Promise<Holding> {
  const { file, fetchedAt, certificates } = options;
  const read = await readCrlFile(file, MAX_BYTES);
  if (!read.ok) return { ...use, kind: 'fault', detail: read.detail };
  const reading = readCrl({ bytes: read.bytes, issuers: certificates });
  if (!reading.ok) return { ...use, kind: 'fault', detail: `${reading.problem}: ${reading.detail}` };
  const { sha256, issuerText: issuer, thisUpdate, nextUpdate, table } = reading.crl;
  return {
    ...{ ...use, kind: 'crl', issuer, sha256, thisUpdate, nextUpdate },
    ...{ entries: table.count, fetchedAt },
  };
}
