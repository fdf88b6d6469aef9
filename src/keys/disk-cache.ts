/** The last good set of each URL, one file each in the folder `keys` of `trust.cacheDir`. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '../errors.ts';
import type { Validators } from '../fetch/http-fetch.ts';
import { replaceFile } from '../fetch/replace-file.ts';

export interface StoredKeySet extends Validators {
  readonly source: string;
  /** Milliseconds since the epoch: when the source last confirmed these bytes. */
  readonly fetchedAt: number;
  readonly bytes: Buffer;
}

interface CacheKey {
  readonly cacheDir: string;
  readonly source: string;
}

/** null: there is none. Throws GatewayError `KEYS_CACHE_UNREADABLE` for a file that cannot be read or parsed. */
export async function loadKeySet({ cacheDir, source }: CacheKey): Promise<StoredKeySet | null> {
  const file = fileOf(cacheDir, source);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw unreadable(file, `cannot be read (${code})`, cause);
  }
  return parse(text, { file, source });
}

/** Throws the errors of node:fs. */
export function saveKeySet(cacheDir: string, { bytes, ...set }: StoredKeySet): Promise<void> {
  const text = JSON.stringify({ version: 1, ...set, bytes: bytes.toString('base64') }, null, 2);
  return replaceFile(fileOf(cacheDir, set.source), `${text}\n`);
}

/** A URL may be longer than a file name can be. */
function fileOf(cacheDir: string, source: string): string {
  return join(cacheDir, 'keys', `${createHash('sha256').update(source).digest('hex')}.json`);
}

function parse(text: string, { file, source: wanted }: { file: string; source: string }): StoredKeySet {
  const wrong = 'not a stored key set';
  let stored: Record<string, unknown>;
  try {
    stored = { ...JSON.parse(text) };
  } catch (cause) {
    throw unreadable(file, wrong, cause);
  }
  const { version, source, fetchedAt, bytes, etag, lastModified } = stored;
  if (version !== 1 || source !== wanted || !Number.isSafeInteger(fetchedAt) || typeof bytes !== 'string')
    throw unreadable(file, wrong);
  return {
    source: wanted,
    fetchedAt: fetchedAt as number,
    bytes: Buffer.from(bytes, 'base64'),
    ...(typeof etag === 'string' ? { etag } : {}),
    ...(typeof lastModified === 'string' ? { lastModified } : {}),
  };
}

function unreadable(file: string, found: string, cause?: unknown): GatewayError {
  return new GatewayError({ code: 'KEYS_CACHE_UNREADABLE', message: `${file}: ${found}`, cause });
}
