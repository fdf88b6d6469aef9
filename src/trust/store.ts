/** The last good copy of each fetched anchor on disk: what a restart falls back to, and which root was taken first. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '../errors.ts';
import { replaceFile } from '../fetch/last-good.ts';
import type { Validators } from './source.ts';

export interface StoredSource extends Validators {
  readonly url: string;
  readonly bytes: Buffer;
}

export interface StoredAnchor {
  readonly name: string;
  /** Milliseconds since the epoch: when the sources last confirmed these bytes. */
  readonly fetchedAt: number;
  readonly rootSha256: string;
  readonly sources: readonly StoredSource[];
}

/**
 * The stored anchor, or null when there is none or it came from other URLs.
 * Throws GatewayError `TRUST_CACHE_UNREADABLE` when there is one that cannot be read or is not what was written.
 */
export async function loadAnchor(options: {
  cacheDir: string;
  name: string;
  urls: readonly string[];
}): Promise<StoredAnchor | null> {
  const file = fileOf(options.cacheDir, options.name);
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw unreadable(file, cause);
  }
  const stored = parse(text, file);
  const sameUrls =
    stored.sources.length === options.urls.length &&
    stored.sources.every(({ url }, index) => url === options.urls[index]);
  return stored.name === options.name && sameUrls ? stored : null;
}

/** Replaces the stored anchor as a whole: readers see the old file or the new one. Throws what node:fs throws. */
export async function saveAnchor(cacheDir: string, anchor: StoredAnchor): Promise<void> {
  const sources = anchor.sources.map((source) => ({ ...source, bytes: source.bytes.toString('base64') }));
  const text = `${JSON.stringify({ version: 1, ...anchor, sources }, null, 2)}\n`;
  await replaceFile(fileOf(cacheDir, anchor.name), text);
}

/** Anchor names are the operator's words: encoded, none of them can leave the folder. */
function fileOf(cacheDir: string, name: string): string {
  return join(cacheDir, `${encodeURIComponent(name)}.json`);
}

function parse(text: string, file: string): StoredAnchor {
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch (cause) {
    throw unreadable(file, cause);
  }
  const { version, name, fetchedAt, rootSha256, sources } = fields(stored);
  if (
    version !== 1 ||
    typeof name !== 'string' ||
    !Number.isSafeInteger(fetchedAt) ||
    typeof rootSha256 !== 'string' ||
    !/^[0-9a-f]{64}$/.test(rootSha256) ||
    !Array.isArray(sources)
  ) {
    throw unreadable(file);
  }
  return {
    name,
    fetchedAt: fetchedAt as number,
    rootSha256,
    sources: sources.map((source) => parseSource(source, file)),
  };
}

function parseSource(value: unknown, file: string): StoredSource {
  const { url, bytes, etag, lastModified } = fields(value);
  if (typeof url !== 'string' || typeof bytes !== 'string') throw unreadable(file);
  return {
    url,
    bytes: Buffer.from(bytes, 'base64'),
    ...(typeof etag === 'string' ? { etag } : {}),
    ...(typeof lastModified === 'string' ? { lastModified } : {}),
  };
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function unreadable(file: string, cause?: unknown): GatewayError {
  const message = `${file}: not a stored trust anchor`;
  return new GatewayError({ code: 'TRUST_CACHE_UNREADABLE', side: 'internal', message, cause });
}
