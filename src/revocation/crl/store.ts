/** The last good CRL of each address on disk, as it came: what a restart begins with. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '../../errors.ts';
import { replaceFile } from '../../fetch/last-good.ts';
import type { Validators } from '../../fetch/resource.ts';

export interface CrlPlace {
  readonly folder: string;
  readonly url: string;
}

export interface CrlConfirmation {
  /** Milliseconds since the epoch: when the address last gave or confirmed it. */
  readonly fetchedAt: number;
  readonly validators: Validators;
}

export interface StoredCrl extends CrlConfirmation {
  /** Path of the CRL, DER or PEM. */
  readonly file: string;
}

/** A CRL that is not in use, and whose revocations count all the same. */
export interface StoredAside {
  readonly file: string;
  /** Milliseconds since the epoch: when it was set aside. */
  readonly fetchedAt: number;
}

/** Null: nothing is stored. Throws GatewayError `CRL_CACHE_UNREADABLE` when something is, and cannot be read. */
export async function loadCrl(place: CrlPlace): Promise<StoredCrl | null> {
  const { crl, facts } = filesOf(place);
  try {
    return { file: crl, ...parse(await readFile(facts, 'utf8'), place.url) };
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return null;
    const message = `${facts}: not the record of a stored CRL`;
    throw new GatewayError({ code: 'CRL_CACHE_UNREADABLE', message, cause });
  }
}

/**
 * Writes what has come beside the last good one, which it does not touch. A draft that a crash left behind is
 * overwritten: there is one at most. Throws what node:fs throws, and leaves no half draft on a disk that is full.
 */
export async function draftCrl(place: CrlPlace, bytes: Uint8Array): Promise<void> {
  await mkdir(place.folder, { recursive: true, mode: 0o700 });
  const { draft } = filesOf(place);
  try {
    await writeFile(draft, bytes, { mode: 0o600, flush: true });
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {});
    throw cause;
  }
}

export async function discardDraft(place: CrlPlace): Promise<void> {
  await rm(filesOf(place).draft, { force: true });
}

/**
 * The draft takes the last good one's place. Between the two steps a crash leaves the new CRL with the old validators,
 * which the source does not know: it answers in full.
 */
export async function keepDraft(place: CrlPlace, confirmation: CrlConfirmation): Promise<void> {
  const { crl, draft } = filesOf(place);
  await rename(draft, crl);
  await confirmCrl(place, confirmation);
}

/** What is in use is kept as what was in use before; a draft or what was set aside takes its place next. Throws what node:fs throws. */
export async function setFormer(place: CrlPlace): Promise<void> {
  const { crl, former } = filesOf(place);
  await rename(crl, former);
}

export async function dropFormer(place: CrlPlace): Promise<void> {
  await rm(filesOf(place).former, { force: true });
}

/** Path of what was in use before; null: nothing is kept. Throws what node:fs throws. */
export async function loadFormer(place: CrlPlace): Promise<string | null> {
  const { former } = filesOf(place);
  return (await modifiedAt(former)) === null ? null : former;
}

/** The draft is kept beside the last good one, where a restart finds it. Throws what node:fs throws. */
export async function setDraftAside(place: CrlPlace): Promise<void> {
  const { draft, aside } = filesOf(place);
  await rename(draft, aside);
}

/** What was set aside takes the last good one's place. Throws what node:fs throws. */
export async function keepAside(place: CrlPlace, confirmation: CrlConfirmation): Promise<void> {
  const { crl, aside } = filesOf(place);
  await rename(aside, crl);
  await confirmCrl(place, confirmation);
}

export async function dropAside(place: CrlPlace): Promise<void> {
  await rm(filesOf(place).aside, { force: true });
}

/** null: nothing was set aside. Throws what node:fs throws. */
export async function loadAside(place: CrlPlace): Promise<StoredAside | null> {
  const { aside } = filesOf(place);
  const fetchedAt = await modifiedAt(aside);
  return fetchedAt === null ? null : { file: aside, fetchedAt };
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
export async function confirmCrl(place: CrlPlace, { fetchedAt, validators }: CrlConfirmation): Promise<void> {
  const text = JSON.stringify({ version: 1, url: place.url, fetchedAt, ...validators });
  await replaceFile(filesOf(place).facts, `${text}\n`);
}

export async function forgetCrl(place: CrlPlace): Promise<void> {
  await Promise.all(Object.values(filesOf(place)).map((file) => rm(file, { force: true })));
}

function filesOf({ folder, url }: CrlPlace) {
  const base = join(folder, createHash('sha256').update(url).digest('hex'));
  return {
    crl: `${base}.crl`,
    former: `${base}.former`,
    aside: `${base}.aside`,
    draft: `${base}.draft`,
    facts: `${base}.json`,
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
