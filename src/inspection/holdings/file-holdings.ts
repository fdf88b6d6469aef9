/** The certificates in one file of a configuration. A file that cannot be read is a holding too: nothing is left out in silence. */
import { GatewayError, UsageError } from '../../errors.ts';
import { readCertificates } from '../../pki/pem.ts';
import { defaultMaxBytes, readLimited } from '../../terminal/input-file.ts';
import type { Holding, Purpose, Use } from './holding.ts';

/** A file of CAs that verify a peer. */
export function authorityHoldings(use: Use): Promise<Holding[]> {
  return holdingsIn(use, { keyFile: null, others: use.purpose });
}

/** A chain that the gateway presents: the leaf, whose key is in `keyFile`, then CAs. */
export function chainHoldings(
  use: Use,
  { keyFile, others }: { readonly keyFile: string; readonly others: Purpose },
): Promise<Holding[]> {
  return holdingsIn(use, { keyFile, others });
}

async function holdingsIn(
  use: Use,
  { keyFile, others }: { readonly keyFile: string | null; readonly others: Purpose },
): Promise<Holding[]> {
  try {
    return readCertificates(await readConfigured(use.source)).map((certificate, index): Holding => {
      const isFirst = index === 0;
      return {
        ...{ ...use, kind: 'certificate', purpose: isFirst ? use.purpose : others, certificate },
        ...{ keyFile: isFirst ? keyFile : null, unused: null, fetchedAt: null },
      };
    });
  } catch (cause) {
    return [{ ...use, kind: 'fault', detail: reasonOf(cause) }];
  }
}

/** A file that a configuration names, of at most 16 MiB. Rejects with the error of Node, or with UsageError. */
export async function readConfigured(file: string): Promise<Buffer> {
  const bytes = await readLimited(file, defaultMaxBytes);
  if (bytes === null) throw new UsageError('has more than 16 MiB, so it is not a file of certificates');
  return bytes;
}

/** Never contains content of the file. */
export function reasonOf(cause: unknown): string {
  if (cause instanceof GatewayError) return cause.message;
  return `cannot be read (${(cause as NodeJS.ErrnoException).code ?? 'unknown'})`;
}
