/** The last OCSP response about each certificate on disk, byte for byte as received: it is verified again when loaded. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '../../errors.ts';
import { replaceFile } from '../../fetch/replace-file.ts';

interface StoredOcsp {
  /** The responder. */
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly fetchedAt: number;
  /** DER of the OCSPResponse. */
  readonly bytes: Buffer;
}

/** Identifies the file of one certificate; `sha256`: of the certificate, lower hex. */
export interface OcspCacheKey {
  readonly folder: string;
  readonly sha256: string;
}

/** null: nothing is stored. Throws GatewayError `OCSP_CACHE_UNREADABLE` if the file cannot be read. */
export async function loadOcsp(key: OcspCacheKey): Promise<StoredOcsp | null> {
  const file = fileOf(key);
  try {
    return parse(await readFile(file, 'utf8'));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    const message = `${file}: cannot be read as a cached OCSP response; the responder is queried again`;
    throw new GatewayError({ code: 'OCSP_CACHE_UNREADABLE', side: 'internal', message, cause });
  }
}

/** Throws what node:fs throws. */
export async function saveOcsp(key: OcspCacheKey, { url, fetchedAt, bytes }: StoredOcsp): Promise<void> {
  const text = JSON.stringify({ version: 1, url, fetchedAt, bytes: bytes.toString('base64') });
  await replaceFile(fileOf(key), `${text}\n`);
}

/** Throws what node:fs throws. */
export async function deleteOcsp(key: OcspCacheKey): Promise<void> {
  await rm(fileOf(key), { force: true });
}

function fileOf({ folder, sha256 }: OcspCacheKey): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new TypeError('not a SHA-256 in lower hex');
  return join(folder, `${sha256}.json`);
}

function parse(text: string): StoredOcsp {
  const { version, url, fetchedAt, bytes } = { ...JSON.parse(text) } as Record<string, unknown>;
  if (
    version !== 1 ||
    typeof url !== 'string' ||
    !Number.isSafeInteger(fetchedAt) ||
    typeof bytes !== 'string'
  ) {
    throw new TypeError('a field is missing');
  }
  return { url, fetchedAt: fetchedAt as number, bytes: Buffer.from(bytes, 'base64') };
}
