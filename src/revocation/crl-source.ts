/** Where a CRL comes from: a URL, fetched conditionally and kept on disk, or a file that somebody else replaces. */
import { stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { GatewayError } from '../errors.ts';
import { fetchResource, type Validators } from '../fetch/resource.ts';
import type { Cache } from './cache.ts';
import { MAX_CRL } from './crl-job.ts';
import { confirmCrl, discardDraft, draftCrl, forgetCrl, keepDraft, loadCrl } from './crl-store.ts';

export type Brought =
  | Delivery
  /** The source still has what was kept last. */
  | { readonly status: 'confirmed' }
  /** The source still has what was discarded last. */
  | { readonly status: 'nothing_new' };

/** Something else than before: exactly one of the two is called when it has been judged. */
export interface Delivery {
  readonly status: 'delivered';
  /** Bytes, or the path of a file. */
  readonly source: Uint8Array | string;
  keep(): Promise<void>;
  discard(): Promise<void>;
}

export interface CrlSource {
  readonly address: string;
  readonly kind: 'url' | 'file';
  /** The copy on disk of what was kept in an earlier life; null: none. Never throws. */
  recall(): Promise<{ readonly file: string; readonly fetchedAt: number } | null>;
  /** `fresh`: nothing that came before is in use, so the source must give all of it. Throws GatewayError. */
  bring(options: { readonly fresh: boolean; readonly signal: AbortSignal }): Promise<Brought>;
  /** Removes what is kept on disk. Never throws. */
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

  async recall() {
    const stored = await this.#options.cache.read(() => loadCrl(this.#place));
    this.#validators = stored?.validators ?? {};
    return stored;
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
    return {
      status: 'delivered',
      source: bytes,
      keep: async () => {
        this.#validators = validators;
        if (drafted) await cache.write(() => keepDraft(this.#place, { fetchedAt, validators }));
      },
      discard: async () => {
        if (drafted) await cache.write(() => discardDraft(this.#place));
      },
    };
  }

  async forget(): Promise<void> {
    await this.#options.cache.write(() => forgetCrl(this.#place));
  }
}

class FileSource implements CrlSource {
  readonly kind = 'file';
  readonly address: string;
  #seen: { readonly signature: string; readonly kept: boolean } | null = null;

  constructor(address: string) {
    this.address = address;
  }

  async recall() {
    return null;
  }

  async bring({ fresh }: { readonly fresh: boolean }): Promise<Brought> {
    const signature = await this.#signature();
    if (!fresh && this.#seen?.signature === signature)
      return { status: this.#seen.kept ? 'confirmed' : 'nothing_new' };
    // Taken before the file is read: one that changes meanwhile is read again.
    const see = (kept: boolean) => async () => {
      this.#seen = { signature, kept };
    };
    return { status: 'delivered', source: this.address, keep: see(true), discard: see(false) };
  }

  async forget(): Promise<void> {}

  /** What a file that was replaced or rewritten does not share with the one before, links followed. */
  async #signature(): Promise<string> {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(this.address, { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(' ');
    } catch (cause) {
      const { code = 'unreadable' } = cause as NodeJS.ErrnoException;
      const message = `${this.address}: ${code}`;
      throw new GatewayError({ code: 'CRL_FILE', side: 'internal', message, cause });
    }
  }
}
