/** Where a CRL comes from: a URL, fetched conditionally and kept on disk, or a file that somebody else replaces. */
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { GatewayError } from '../../errors.ts';
import { fetchResource, type Validators } from '../../fetch/resource.ts';
import type { Cache } from '../cache.ts';
import { MAX_CRL } from './job.ts';
import {
  confirmCrl,
  discardDraft,
  draftCrl,
  dropAside,
  dropFormer,
  forgetCrl,
  keepAside,
  keepDraft,
  loadAside,
  loadCrl,
  loadFormer,
  setDraftAside,
  setFormer,
} from './store.ts';

export type Brought =
  | Delivery
  /** The source still has what was kept last. */
  | { readonly status: 'confirmed' }
  /** The source still has what was discarded last. */
  | { readonly status: 'nothing_new' };

/**
 * Something else than before: exactly one of the three is called when it has been judged, and after `setAside` perhaps
 * one of the others, as long as nothing else was set aside. None of them throws.
 */
export interface Delivery {
  readonly status: 'delivered';
  /** Bytes, or the path of a file. */
  readonly source: Uint8Array | string;
  /** It is in use. `former`: what was in use before is kept too, where a restart finds it; else it is forgotten. */
  keep(options: { readonly former: boolean }): Promise<void>;
  /** It is not in use, and a restart must know of it. */
  setAside(): Promise<void>;
  discard(): Promise<void>;
}

/** What an earlier life has left on disk. */
export interface Recalled {
  /** null: nothing was in use. */
  readonly kept: { readonly file: string; readonly fetchedAt: number } | null;
  /** Path of what was in use before, and still revokes; null: there is none. */
  readonly former: string | null;
  /** null: nothing was set aside. */
  readonly aside: (Delivery & { readonly fetchedAt: number }) | null;
}

export interface CrlSource {
  readonly address: string;
  readonly kind: 'url' | 'file';
  /** Never throws. */
  recall(): Promise<Recalled>;
  /** `fresh`: nothing that came before is in use, so the source must give all of it. Throws GatewayError. */
  bring(options: { readonly fresh: boolean; readonly signal: AbortSignal }): Promise<Brought>;
  /** What was in use before counts no more. Never throws. */
  dropFormer(): Promise<void>;
  /** Removes what is kept on disk: the next one is brought whole. Never throws. */
  forget(): Promise<void>;
}

export interface CrlSourceOptions {
  /** A URL or an absolute path. */
  readonly address: string;
  /** Where copies of what came from URLs lie. */
  readonly folder: string;
  /** PEM of the CAs that verify HTTPS servers. */
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
  readonly place: 'draft' | 'aside' | null;
}

class UrlSource implements CrlSource {
  readonly kind = 'url';
  readonly #options: CrlSourceOptions;
  /** Of what was kept last. */
  #validators: Validators = {};

  constructor(options: CrlSourceOptions) {
    this.#options = options;
  }

  get address(): string {
    return this.#options.address;
  }

  get #place() {
    return { folder: this.#options.folder, url: this.#options.address };
  }

  async recall(): Promise<Recalled> {
    const { cache } = this.#options;
    const kept = await cache.read(() => loadCrl(this.#place));
    this.#validators = kept?.validators ?? {};
    const aside = await cache.read(() => loadAside(this.#place));
    const former = await cache.read(() => loadFormer(this.#place));
    if (aside === null) return { kept, former, aside };
    const { file: source, fetchedAt } = aside;
    const delivery = this.#delivery({ source, fetchedAt, validators: {}, place: 'aside' });
    return { kept, former, aside: { ...delivery, fetchedAt } };
  }

  async bring({
    fresh,
    signal,
  }: {
    readonly fresh: boolean;
    readonly signal: AbortSignal;
  }): Promise<Brought> {
    const { address, tlsCa, timeout, clock, cache } = this.#options;
    const fetched = await fetchResource({
      purpose: 'CRL',
      url: address,
      accept: 'application/pkix-crl, */*;q=0.5',
      ca: tlsCa(),
      validators: fresh ? undefined : this.#validators,
      maxBytes: MAX_CRL,
      redirects: 3,
      timeout,
      signal,
    });
    const fetchedAt = clock();
    if (fetched.status === 'unchanged') {
      await cache.write(() => confirmCrl(this.#place, { fetchedAt, validators: this.#validators }));
      return { status: 'confirmed' };
    }
    const { bytes, validators } = fetched;
    const drafted = await cache.write(() => draftCrl(this.#place, bytes));
    return this.#delivery({ source: bytes, fetchedAt, validators, place: drafted ? 'draft' : null });
  }

  async dropFormer(): Promise<void> {
    await this.#options.cache.write(() => dropFormer(this.#place));
  }

  async forget(): Promise<void> {
    this.#validators = {};
    await this.#options.cache.write(() => forgetCrl(this.#place));
  }

  /** `place`: where its copy is; null: it could not be written. */
  #delivery({ source, fetchedAt, validators, ...copy }: Copy): Delivery {
    const { cache } = this.#options;
    let { place } = copy;
    return {
      status: 'delivered',
      source,
      keep: async ({ former }) => {
        this.#validators = validators;
        if (former && place !== null) await cache.write(() => setFormer(this.#place));
        const keepCopy = place === 'aside' ? keepAside : keepDraft;
        if (place !== null) await cache.write(() => keepCopy(this.#place, { fetchedAt, validators }));
        place = null;
      },
      setAside: async () => {
        if (place !== 'draft') return;
        place = (await cache.write(() => setDraftAside(this.#place))) ? 'aside' : null;
      },
      discard: async () => {
        const discardCopy = place === 'aside' ? dropAside : discardDraft;
        if (place !== null) await cache.write(() => discardCopy(this.#place));
        place = null;
      },
    };
  }
}

class FileSource implements CrlSource {
  readonly kind = 'file';
  readonly address: string;
  #seen: { readonly signature: string; readonly kept: boolean } | null = null;
  /** Of what was delivered last. */
  #latest = '';

  constructor(address: string) {
    this.address = address;
  }

  async recall(): Promise<Recalled> {
    return { kept: null, former: null, aside: null };
  }

  async bring({ fresh }: { readonly fresh: boolean }): Promise<Brought> {
    const signature = await this.#signature();
    if (!fresh && this.#seen?.signature === signature)
      return { status: this.#seen.kept ? 'confirmed' : 'nothing_new' };
    // Taken before the file is read: one that changes meanwhile is read again.
    this.#latest = signature;
    const see = (kept: boolean) => async () => {
      if (this.#latest === signature) this.#seen = { signature, kept };
    };
    const aside = see(false);
    return {
      status: 'delivered',
      source: this.address,
      keep: see(true),
      setAside: aside,
      discard: aside,
    };
  }

  /** A file holds what its owner wants it to hold: no copy is kept of what it held before. */
  async dropFormer(): Promise<void> {}

  async forget(): Promise<void> {
    this.#seen = null;
  }

  /** What a file that was replaced or rewritten does not share with the one before, links followed. */
  async #signature(): Promise<string> {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(this.address, { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
    } catch (cause) {
      const { code = 'unreadable' } = cause as NodeJS.ErrnoException;
      const message = `${this.address}: ${code}`;
      throw new GatewayError({ code: 'CRL_FILE', message, cause });
    }
  }
}
