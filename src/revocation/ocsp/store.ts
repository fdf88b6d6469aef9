/** The last OCSP answer about each certificate on disk, as it came: whoever loads one reads and judges it anew. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '../../errors.ts';
import { replaceFile } from '../../fetch/last-good.ts';

export interface StoredOcsp {
  /** Where it came from. */
  readonly url: string;
  /** Milliseconds since the epoch. */
  readonly fetchedAt: number;
  /** The OCSPResponse's DER. */
  readonly bytes: Buffer;
}

/** One certificate's place: `sha256` is the lower hex of its digest. */
export interface OcspPlace {
  readonly folder: string;
  readonly sha256: string;
}

/** Null: nothing is stored. Throws GatewayError `OCSP_CACHE_UNREADABLE` when something is, and cannot be read. */
export async function loadOcsp(place: OcspPlace): Promise<StoredOcsp | null> {
  const file = fileOf(place);
  try {
    return parse(await readFile(file, 'utf8'));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    const message = `${file}: not a stored OCSP answer`;
    throw new GatewayError({ code: 'OCSP_CACHE_UNREADABLE', message, cause });
  }
}

/** Throws what node:fs throws. */
export async function saveOcsp(place: OcspPlace, { url, fetchedAt, bytes }: StoredOcsp): Promise<void> {
  const text = JSON.stringify({ version: 1, url, fetchedAt, bytes: bytes.toString('base64') });
  await replaceFile(fileOf(place), `${text}\n`);
}

/** Throws what node:fs throws. */
export async function forgetOcsp(place: OcspPlace): Promise<void> {
  await rm(fileOf(place), { force: true });
}

function fileOf({ folder, sha256 }: OcspPlace): string {
  if (!/^[0-9a-f]{64}$/.test(sha256)) throw new TypeError('not the hex of a SHA-256');
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
