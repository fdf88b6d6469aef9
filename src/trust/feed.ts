/** One anchor that comes from URLs: fetches it whole, and takes it only if nothing about it is in doubt. */
import type { Certificate } from '../pki/certificate.ts';
import { readCertificates } from '../pki/pem.ts';
import { type Anchor, haveSameCertificates, normalizeSha256, readAnchor } from './bundle.ts';
import { type Fetched, fetchSource } from './source.ts';
import type { AnchorState, TrustAction, TrustEvent } from './state.ts';
import { loadAnchor, type StoredAnchor, type StoredSource, saveAnchor } from './store.ts';

export interface FeedOptions {
  readonly name: string;
  readonly urls: readonly string[];
  /** PEM of the CAs that verify the URLs' servers. */
  readonly ca?: Buffer | undefined;
  readonly rootSha256?: string | undefined;
  readonly cacheDir: string;
  readonly clock: () => number;
  readonly accept: (anchor: Anchor) => string | null;
  readonly report: (event: TrustEvent) => void;
  /** Aborted when the gateway stops: nothing is reported or changed from then on. */
  readonly signal: AbortSignal;
}

export class AnchorFeed {
  readonly #options: FeedOptions;
  readonly #pin: string | undefined;
  /** The last good copy, also when time has made it unusable: it still says which root was taken first. */
  #stored: StoredAnchor | null = null;
  #state: AnchorState | null = null;

  constructor(options: FeedOptions) {
    this.#options = options;
    this.#pin = options.rootSha256 === undefined ? undefined : normalizeSha256(options.rootSha256);
  }

  /** null: there is no usable set yet. */
  get state(): AnchorState | null {
    return this.#state;
  }

  /**
   * Takes the last good set from the disk, so that a slow or dead source delays no start; without one it fetches.
   * True: what the sources serve is in use; false: ask them soon.
   */
  async start(): Promise<boolean> {
    const { cacheDir, name, urls } = this.#options;
    try {
      this.#stored = await loadAnchor({ cacheDir, name, urls });
    } catch (cause) {
      this.#report('cache_failed', { detail: messageOf(cause) });
    }
    if (this.#stored !== null) this.#fallBack(this.#stored);
    return this.#state === null && (await this.update());
  }

  /** Fetches again; true: what the sources serve is in use. Never throws: failures are reported. */
  async update(): Promise<boolean> {
    const { signal } = this.#options;
    let sources: StoredSource[];
    try {
      sources = await this.#fetchAll();
    } catch (cause) {
      this.#report('fetch_failed', { detail: messageOf(cause) });
      return false;
    }
    return !signal.aborted && (await this.#adopt(sources));
  }

  async #fetchAll(): Promise<StoredSource[]> {
    const { urls, ca } = this.#options;
    // One failure makes the set useless, so it ends the other fetches too: none is left running behind the next try.
    const failed = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, failed.signal]);
    const fetchOne = async (url: string, index: number): Promise<StoredSource> => {
      const stored = this.#stored?.sources[index];
      const fetched: Fetched = await fetchSource({ url, ca, validators: stored, signal });
      if (fetched.status === 'fetched') return { url, bytes: fetched.bytes, ...fetched.validators };
      if (stored === undefined) throw new TypeError(`${url}: unchanged, but nothing was stored`);
      return stored;
    };
    try {
      return await Promise.all(urls.map(fetchOne));
    } catch (cause) {
      failed.abort();
      throw cause;
    }
  }

  async #adopt(sources: readonly StoredSource[]): Promise<boolean> {
    const { name, clock, cacheDir, signal } = this.#options;
    const now = clock();
    const reading = this.#read(sources, now);
    const known = this.#stored?.rootSha256;
    const changed = reading.roots.find(({ sha256 }) => sha256 !== known && sha256 !== this.#pin);
    if (known !== undefined && changed !== undefined) {
      const detail = `the sources serve another root, ${changed.subject}; the root in use stays ${known}`;
      this.#report('root_changed_refused', { sha256: changed.sha256, detail });
      return false;
    }
    if (reading.anchor === null) {
      this.#report('refused', { detail: reading.problem });
      return false;
    }

    const { certificates } = reading.anchor;
    const [{ sha256 }] = certificates;
    this.#stored = { name, fetchedAt: now, rootSha256: sha256, sources };
    try {
      await saveAnchor(cacheDir, this.#stored);
    } catch (cause) {
      this.#report('cache_failed', { detail: messageOf(cause) });
    }
    if (signal.aborted) return false;
    const before = this.#state;
    this.#state = this.#stateOf(reading.anchor, 'url', now);
    if (known === undefined && this.#pin === undefined) this.#report('trust_on_first_use', { sha256 });
    else if (before === null || !haveSameCertificates(before, reading.anchor))
      this.#report('fetched', { sha256 });
    return true;
  }

  #fallBack(stored: StoredAnchor): void {
    const reading = this.#read(stored.sources, this.#options.clock());
    if (reading.anchor === null) {
      this.#report('refused', { detail: `from the cache: ${reading.problem}` });
      return;
    }
    this.#state = this.#stateOf(reading.anchor, 'cache', stored.fetchedAt);
    this.#report('from_cache', { sha256: stored.rootSha256 });
  }

  #read(sources: readonly StoredSource[], now: number): Reading {
    const certificates: Certificate[] = [];
    for (const { url, bytes } of sources) {
      try {
        certificates.push(...readCertificates(bytes));
      } catch (cause) {
        return { anchor: null, roots: [], problem: `${url}: ${messageOf(cause)}` };
      }
    }
    const { name, accept } = this.#options;
    const roots = certificates.filter(({ subject, issuer }) => subject === issuer);
    const reading = readAnchor({ name, certificates, rootSha256: this.#pin, now });
    if (!reading.ok) return { anchor: null, roots, problem: reading.problems.join('; ') };
    const refusal = accept(reading.anchor);
    return refusal === null ? { anchor: reading.anchor, roots } : { anchor: null, roots, problem: refusal };
  }

  #stateOf(anchor: Anchor, source: AnchorState['source'], fetchedAt: number): AnchorState {
    return { ...anchor, source, fetchedAt, pinned: this.#pin !== undefined };
  }

  #report(action: TrustAction, facts: Pick<TrustEvent, 'sha256' | 'detail'>): void {
    if (this.#options.signal.aborted) return;
    this.#options.report({ type: 'trust', action, anchor: this.#options.name, ...facts });
  }
}

/** The self-issued certificates are told even when the set has problems: a changed root is to be named as such. */
type Reading =
  | { readonly anchor: Anchor; readonly roots: readonly Certificate[] }
  | { readonly anchor: null; readonly roots: readonly Certificate[]; readonly problem: string };

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
