/** Fetches a CRL from its address: from a URL, conditionally and with a copy on disk, or from a local file. */
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { GatewayError } from '../../errors.ts';
import { fetchResource, type Validators } from '../../fetch/http-fetch.ts';
import type { Cache } from '../cache.ts';
import { MAX_CRL } from './job.ts';
import {
  acceptDraft,
  acceptPending,
  confirmCrl,
  deferDraft,
  deleteCrls,
  discardDraft,
  dropPending,
  dropPrevious,
  keepPrevious,
  loadCrl,
  loadPending,
  loadPrevious,
  writeDraft,
} from './store.ts';

export type CrlFetchResult =
  | FetchedCrl
  /** The source still has the CRL that was accepted last. */
  | { readonly status: 'confirmed' }
  /** The source still has the CRL that was deferred or discarded last. */
  | { readonly status: 'unchanged' };

/**
 * A new CRL. After it was judged exactly one of the three methods is called; after `defer` one of the other two may
 * follow, as long as no other CRL was deferred. None of them throws.
 */
export interface FetchedCrl {
  readonly status: 'fetched';
  /** Bytes, or the path of a file. */
  readonly source: Uint8Array | string;
  /** It is in use now. `keepPrevious`: the CRL used before stays on disk for a restart; otherwise it is replaced. */
  accept(options: { readonly keepPrevious: boolean }): Promise<void>;
  /** It is not in use, and is kept on disk as the pending CRL. */
  defer(): Promise<void>;
  discard(): Promise<void>;
}

/** The CRLs on disk after a start. */
export interface StoredCrls {
  /** null: no CRL was in use. */
  readonly inUse: { readonly file: string; readonly fetchedAt: number } | null;
  /** Path of the CRL that was in use before, whose revocations still count; null: none. */
  readonly previous: string | null;
  /** null: no CRL was deferred. */
  readonly pending: (FetchedCrl & { readonly fetchedAt: number }) | null;
}

export interface CrlSource {
  readonly address: string;
  readonly kind: 'url' | 'file';
  /** Never throws. */
  load(): Promise<StoredCrls>;
  /** `unconditional`: no CRL from before can be used, so the source must send all of it. Throws GatewayError. */
  fetch(options: { readonly unconditional: boolean; readonly signal: AbortSignal }): Promise<CrlFetchResult>;
  /** Deletes the CRL on disk that was in use before. Never throws. */
  dropPrevious(): Promise<void>;
  /** Deletes every copy on disk; the next fetch is unconditional. Never throws. */
  forget(): Promise<void>;
}

interface CrlSourceOptions {
  /** A URL or an absolute path. */
  readonly address: string;
  /** Folder of the copies of what was fetched from URLs. */
  readonly folder: string;
  /** PEM of the CAs that HTTPS servers are verified with; undefined: Node's own. */
  readonly tlsCa: () => Buffer | undefined;
  /** Milliseconds for one fetch. */
  readonly timeout: number;
  readonly clock: () => number;
  readonly cache: Cache;
}

export function openCrlSource(options: CrlSourceOptions): CrlSource {
  return isAbsolute(options.address) ? new FileSource(options.address) : new UrlSource(options);
}

interface Copy {
  readonly source: Uint8Array | string;
  readonly fetchedAt: number;
  readonly validators: Validators;
  /** Which file holds it; null: it could not be written. */
  readonly storedAs: 'draft' | 'pending' | null;
}

class UrlSource implements CrlSource {
  readonly kind = 'url';
  readonly #options: CrlSourceOptions;
  /** Of the CRL that was accepted last. */
  #validators: Validators = {};

  constructor(options: CrlSourceOptions) {
    this.#options = options;
  }

  get address(): string {
    return this.#options.address;
  }

  get #key() {
    return { folder: this.#options.folder, url: this.#options.address };
  }

  async load(): Promise<StoredCrls> {
    const { cache } = this.#options;
    const inUse = await cache.read(() => loadCrl(this.#key));
    this.#validators = inUse?.validators ?? {};
    const pending = await cache.read(() => loadPending(this.#key));
    const previous = await cache.read(() => loadPrevious(this.#key));
    if (pending === null) return { inUse, previous, pending };
    const { file: source, fetchedAt } = pending;
    const fetched = this.#fetched({ source, fetchedAt, validators: {}, storedAs: 'pending' });
    return { inUse, previous, pending: { ...fetched, fetchedAt } };
  }

  async fetch({
    unconditional,
    signal,
  }: {
    readonly unconditional: boolean;
    readonly signal: AbortSignal;
  }): Promise<CrlFetchResult> {
    const { address, tlsCa, timeout, clock, cache } = this.#options;
    const fetched = await fetchResource({
      purpose: 'CRL',
      url: address,
      accept: 'application/pkix-crl, */*;q=0.5',
      ca: tlsCa(),
      validators: unconditional ? undefined : this.#validators,
      maxBytes: MAX_CRL,
      redirects: 3,
      timeout,
      signal,
    });
    const fetchedAt = clock();
    if (fetched.status === 'unchanged') {
      await cache.write(() => confirmCrl(this.#key, { fetchedAt, validators: this.#validators }));
      return { status: 'confirmed' };
    }
    const { bytes, validators } = fetched;
    const isStored = await cache.write(() => writeDraft(this.#key, bytes));
    return this.#fetched({ source: bytes, fetchedAt, validators, storedAs: isStored ? 'draft' : null });
  }

  async dropPrevious(): Promise<void> {
    await this.#options.cache.write(() => dropPrevious(this.#key));
  }

  async forget(): Promise<void> {
    this.#validators = {};
    await this.#options.cache.write(() => deleteCrls(this.#key));
  }

  #fetched({ source, fetchedAt, validators, ...copy }: Copy): FetchedCrl {
    const { cache } = this.#options;
    let { storedAs } = copy;
    return {
      status: 'fetched',
      source,
      accept: async (options) => {
        this.#validators = validators;
        if (options.keepPrevious && storedAs !== null) await cache.write(() => keepPrevious(this.#key));
        const accept = storedAs === 'pending' ? acceptPending : acceptDraft;
        if (storedAs !== null) await cache.write(() => accept(this.#key, { fetchedAt, validators }));
        storedAs = null;
      },
      defer: async () => {
        if (storedAs !== 'draft') return;
        storedAs = (await cache.write(() => deferDraft(this.#key))) ? 'pending' : null;
      },
      discard: async () => {
        const drop = storedAs === 'pending' ? dropPending : discardDraft;
        if (storedAs !== null) await cache.write(() => drop(this.#key));
        storedAs = null;
      },
    };
  }
}

class FileSource implements CrlSource {
  readonly kind = 'file';
  readonly address: string;
  /** The version of the file that was judged last. */
  #judged: { readonly version: string; readonly isAccepted: boolean } | null = null;
  /** The version of the file that was fetched last. */
  #latest = '';

  constructor(address: string) {
    this.address = address;
  }

  async load(): Promise<StoredCrls> {
    return { inUse: null, previous: null, pending: null };
  }

  async fetch({ unconditional }: { readonly unconditional: boolean }): Promise<CrlFetchResult> {
    const version = await this.#version();
    if (!unconditional && this.#judged?.version === version)
      return { status: this.#judged.isAccepted ? 'confirmed' : 'unchanged' };
    // Determined before the file is read: a file that changes meanwhile is read again next time.
    this.#latest = version;
    const judge = (isAccepted: boolean) => async () => {
      if (this.#latest === version) this.#judged = { version, isAccepted };
    };
    const refuse = judge(false);
    return { status: 'fetched', source: this.address, accept: judge(true), defer: refuse, discard: refuse };
  }

  /** No copy of a local file is kept. */
  async dropPrevious(): Promise<void> {}

  async forget(): Promise<void> {
    this.#judged = null;
  }

  /** Changes when the file is replaced or rewritten; symbolic links are followed. */
  async #version(): Promise<string> {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(this.address, { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
    } catch (cause) {
      const { code = 'unreadable' } = cause as NodeJS.ErrnoException;
      const message = `${this.address}: the file cannot be read: ${code}`;
      throw new GatewayError({ code: 'CRL_FILE', message, cause });
    }
  }
}
