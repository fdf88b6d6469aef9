/** The files of one anchor below `trust.cacheDir`: the last good set, a pending set with another root, its approval. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GatewayError } from '../errors.ts';
import type { Validators } from '../fetch/http-fetch.ts';
import { replaceFile } from '../fetch/replace-file.ts';
import { normalizeSha256 } from '../pki/fingerprint.ts';

/** One downloaded file, with the validators for the next conditional request. */
export interface StoredSource extends Validators {
  readonly url: string;
  readonly bytes: Buffer;
}

/** Why the root is trusted. */
const bases = ['first_use', 'approval', 'pin'] as const;

export interface StoredAnchor {
  readonly name: string;
  /** Milliseconds since the epoch: when the sources last confirmed these bytes. */
  readonly fetchedAt: number;
  readonly rootSha256: string;
  readonly basis: (typeof bases)[number];
  readonly sources: readonly StoredSource[];
}

/** The list of the configuration that an anchor belongs to. */
export type AnchorList = 'anchors' | 'candidates';

export interface CacheKey {
  readonly cacheDir: string;
  readonly list: AnchorList;
  readonly name: string;
  readonly urls: readonly string[];
}

/**
 * The files of one anchor. `load…` returns null if there is no file, or if its set came from other URLs, and throws
 * GatewayError `TRUST_CACHE_UNREADABLE` for a file that cannot be read or parsed. All others throw the errors of node:fs.
 */
export class AnchorCache {
  #key: CacheKey;

  constructor(key: CacheKey) {
    this.#key = key;
  }

  /** Uses another folder from now on. */
  moveTo(cacheDir: string): void {
    this.#key = { ...this.#key, cacheDir };
  }

  get #good(): string {
    return this.#file('.json');
  }

  get #pending(): string {
    return this.#file('.json', 'pending');
  }

  get #approval(): string {
    return this.#file('.sha256', 'approved');
  }

  /**
   * Candidates have a folder of their own, so that a candidate never replaces an anchor in use. Anchor names are free
   * text: encoded and with an ending, no name leads out of the folder.
   */
  #file(ending: string, folder = ''): string {
    const { cacheDir, list, name } = this.#key;
    return join(cacheDir, list === 'anchors' ? '' : list, folder, `${encodeURIComponent(name)}${ending}`);
  }

  load(): Promise<StoredAnchor | null> {
    return load(this.#good, this.#key);
  }

  save(anchor: StoredAnchor): Promise<void> {
    return save(this.#good, anchor);
  }

  /** The set of a candidate with the same name and URLs. */
  loadCandidate(): Promise<StoredAnchor | null> {
    return new AnchorCache({ ...this.#key, list: 'candidates' }).load();
  }

  loadPending(): Promise<StoredAnchor | null> {
    return load(this.#pending, this.#key);
  }

  savePending(anchor: StoredAnchor): Promise<void> {
    return save(this.#pending, anchor);
  }

  /** The approval: the SHA-256 of a root in lower hex, if the approve command wrote it; null: there is none. */
  async loadApproval(): Promise<string | null> {
    const text = await readText(this.#approval);
    return text === null ? null : normalizeSha256(text.trim());
  }

  approve(rootSha256: string): Promise<void> {
    return replaceFile(this.#approval, `${rootSha256}\n`);
  }

  dropApproval(): Promise<void> {
    return rm(this.#approval, { force: true });
  }

  /** Deletes the approval first: a pending set that remains after a crash then needs a new approval. */
  async dropPending(): Promise<void> {
    await this.dropApproval();
    await rm(this.#pending, { force: true });
  }
}

async function load(file: string, { name, urls }: CacheKey): Promise<StoredAnchor | null> {
  const text = await readText(file);
  if (text === null) return null;
  const stored = parse(text, file);
  const sameUrls =
    stored.sources.length === urls.length && stored.sources.every(({ url }, index) => url === urls[index]);
  return stored.name === name && sameUrls ? stored : null;
}

function save(file: string, anchor: StoredAnchor): Promise<void> {
  const sources = anchor.sources.map((source) => ({ ...source, bytes: source.bytes.toString('base64') }));
  return replaceFile(file, `${JSON.stringify({ version: 1, ...anchor, sources }, null, 2)}\n`);
}

async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    throw unreadable(file, `cannot be read (${code})`, cause);
  }
}

function parse(text: string, file: string): StoredAnchor {
  const wrong = 'not a stored trust anchor';
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch (cause) {
    throw unreadable(file, wrong, cause);
  }
  const { version, name, fetchedAt, rootSha256, basis = 'first_use', sources } = fields(stored);
  if (
    version !== 1 ||
    typeof name !== 'string' ||
    !Number.isSafeInteger(fetchedAt) ||
    typeof rootSha256 !== 'string' ||
    !/^[0-9a-f]{64}$/.test(rootSha256) ||
    !bases.some((each) => each === basis) ||
    !Array.isArray(sources)
  ) {
    throw unreadable(file, wrong);
  }
  const parseSource = (value: unknown): StoredSource => {
    const { url, bytes, etag, lastModified } = fields(value);
    if (typeof url !== 'string' || typeof bytes !== 'string') throw unreadable(file, wrong);
    return {
      url,
      bytes: Buffer.from(bytes, 'base64'),
      ...(typeof etag === 'string' ? { etag } : {}),
      ...(typeof lastModified === 'string' ? { lastModified } : {}),
    };
  };
  return {
    name,
    fetchedAt: fetchedAt as number,
    rootSha256,
    basis: basis as StoredAnchor['basis'],
    sources: sources.map(parseSource),
  };
}

function fields(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function unreadable(file: string, found: string, cause?: unknown): GatewayError {
  const message = `${file}: ${found}`;
  return new GatewayError({ code: 'TRUST_CACHE_UNREADABLE', message, cause });
}
