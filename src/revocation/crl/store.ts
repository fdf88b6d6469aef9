/**
 * The CRLs of each address on disk, byte for byte as fetched: the last good one, the previous one, a pending one, and as
 * a draft the one that was fetched and is not judged yet.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '../../errors.ts';
import type { Validators } from '../../fetch/http-fetch.ts';
import { replaceFile } from '../../fetch/replace-file.ts';

/** Identifies the files of one address. */
interface CrlCacheKey {
  readonly folder: string;
  readonly url: string;
}

interface CrlConfirmation {
  /** When the address last returned or confirmed the CRL, ms since the epoch. */
  readonly fetchedAt: number;
  readonly validators: Validators;
}

interface StoredCrl extends CrlConfirmation {
  /** Path of the CRL, DER or PEM. */
  readonly file: string;
}

/** A verified CRL that is not in use: only its revocations count. */
interface PendingCrl {
  readonly file: string;
  /** When it was stored, ms since the epoch. */
  readonly fetchedAt: number;
}

/** The last good CRL; null: none. Throws GatewayError `CRL_CACHE_UNREADABLE` if its record cannot be read. */
export async function loadCrl(key: CrlCacheKey): Promise<StoredCrl | null> {
  const { crl, record } = filesOf(key);
  try {
    return { file: crl, ...parse(await readFile(record, 'utf8'), key.url) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    const message = `${record}: cannot be read as the record of a cached CRL; the CRL is fetched again`;
    throw new GatewayError({ code: 'CRL_CACHE_UNREADABLE', message, cause });
  }
}

/** The addresses of which the folder has a last good CRL. Records that cannot be read are left out. */
export async function storedAddresses(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => []);
  const records = names.filter((name) => name.endsWith('.json'));
  const found = await Promise.all(records.map((name) => addressIn(join(folder, name))));
  return found.filter((address) => address !== null).sort();
}

async function addressIn(record: string): Promise<string | null> {
  try {
    const { url } = { ...JSON.parse(await readFile(record, 'utf8')) } as Record<string, unknown>;
    return typeof url === 'string' ? url : null;
  } catch {
    return null;
  }
}

/**
 * Writes a fetched CRL as the draft, beside the last good one. Replaces a draft that a crash left behind. Throws what
 * node:fs throws, and leaves no incomplete draft on a full disk.
 */
export async function writeDraft(key: CrlCacheKey, bytes: Uint8Array): Promise<void> {
  await mkdir(key.folder, { recursive: true, mode: 0o700 });
  const { draft } = filesOf(key);
  try {
    await writeFile(draft, bytes, { mode: 0o600, flush: true });
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {});
    throw cause;
  }
}

export async function discardDraft(key: CrlCacheKey): Promise<void> {
  await rm(filesOf(key).draft, { force: true });
}

/**
 * Makes the draft the last good CRL. A crash between the two steps leaves the new CRL with the old validators, which the
 * server does not recognise: it sends the whole CRL again.
 */
export async function acceptDraft(key: CrlCacheKey, confirmation: CrlConfirmation): Promise<void> {
  const { crl, draft } = filesOf(key);
  await rename(draft, crl);
  await confirmCrl(key, confirmation);
}

/** Makes the last good CRL the previous one, before another is accepted. Throws what node:fs throws. */
export async function keepPrevious(key: CrlCacheKey): Promise<void> {
  const { crl, previous } = filesOf(key);
  await rename(crl, previous);
}

export async function dropPrevious(key: CrlCacheKey): Promise<void> {
  await rm(filesOf(key).previous, { force: true });
}

/** Path of the previous CRL; null: none. Throws what node:fs throws. */
export async function loadPrevious(key: CrlCacheKey): Promise<string | null> {
  const { previous } = filesOf(key);
  return (await modifiedAt(previous)) === null ? null : previous;
}

/** Makes the draft the pending CRL, which a restart loads. Throws what node:fs throws. */
export async function deferDraft(key: CrlCacheKey): Promise<void> {
  const { draft, pending } = filesOf(key);
  await rename(draft, pending);
}

/** Makes the pending CRL the last good one. Throws what node:fs throws. */
export async function acceptPending(key: CrlCacheKey, confirmation: CrlConfirmation): Promise<void> {
  const { crl, pending } = filesOf(key);
  await rename(pending, crl);
  await confirmCrl(key, confirmation);
}

export async function dropPending(key: CrlCacheKey): Promise<void> {
  await rm(filesOf(key).pending, { force: true });
}

/** null: no pending CRL. Throws what node:fs throws. */
export async function loadPending(key: CrlCacheKey): Promise<PendingCrl | null> {
  const { pending } = filesOf(key);
  const fetchedAt = await modifiedAt(pending);
  return fetchedAt === null ? null : { file: pending, fetchedAt };
}

async function modifiedAt(file: string): Promise<number | null> {
  try {
    return Math.round((await stat(file)).mtimeMs);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw cause;
  }
}

/** Throws what node:fs throws. */
export async function confirmCrl(
  key: CrlCacheKey,
  { fetchedAt, validators }: CrlConfirmation,
): Promise<void> {
  const text = JSON.stringify({ version: 1, url: key.url, fetchedAt, ...validators });
  await replaceFile(filesOf(key).record, `${text}\n`);
}

/** Deletes every file of the address. */
export async function deleteCrls(key: CrlCacheKey): Promise<void> {
  await Promise.all(Object.values(filesOf(key)).map((file) => rm(file, { force: true })));
}

/** The suffixes are part of the format on disk. */
function filesOf({ folder, url }: CrlCacheKey) {
  const base = join(folder, createHash('sha256').update(url).digest('hex'));
  return {
    crl: `${base}.crl`,
    previous: `${base}.former`,
    pending: `${base}.aside`,
    draft: `${base}.draft`,
    record: `${base}.json`,
  };
}

function parse(text: string, expected: string): CrlConfirmation {
  const { version, url, fetchedAt, etag, lastModified } = { ...JSON.parse(text) } as Record<string, unknown>;
  if (version !== 1 || url !== expected || !Number.isSafeInteger(fetchedAt))
    throw new TypeError('a field is missing');
  return {
    fetchedAt: fetchedAt as number,
    validators: {
      ...(typeof etag === 'string' ? { etag } : {}),
      ...(typeof lastModified === 'string' ? { lastModified } : {}),
    },
  };
}
