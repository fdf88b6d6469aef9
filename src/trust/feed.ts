/** One anchor that comes from URLs: fetches it whole, and takes it only if nothing about it is in doubt. */
import type { Certificate } from '../pki/certificate.ts';
import { readCertificates } from '../pki/pem.ts';
import {
  type Anchor,
  type AnchorClaim,
  haveSameCertificates,
  normalizeSha256,
  readAnchor,
} from './bundle.ts';
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
   * Takes the last good set from the disk, so that a slow or dead source delays no start; without a usable one it
   * fetches. True: what the sources serve is in use; false: ask them soon. Never throws: failures are reported.
   */
  async start(): Promise<boolean> {
    const { cacheDir, name, urls } = this.#options;
    try {
      this.#stored = await loadAnchor({ cacheDir, name, urls });
    } catch (cause) {
      this.#report('cache_failed', { detail: messageOf(cause) });
    }
    if (this.#stored !== null) this.#takeCached(this.#stored);
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
      // A server's 304 is of use only for bytes that are in use: a spoilt copy is fetched anew.
      const stored = this.#state === null ? undefined : this.#stored?.sources[index];
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
    const reading = this.#read(sources, { now, rootSha256: this.#pin });
    const known = this.#stored?.rootSha256;
    const changed = reading.roots.find(({ sha256 }) => sha256 !== known && sha256 !== this.#pin);
    if (known !== undefined && changed !== undefined) {
      const detail = `the sources serve another root, ${changed.subject}; only ${this.#pin ?? known} is taken`;
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
    else if (before?.source !== 'url' || !haveSameCertificates(before, reading.anchor))
      this.#report('fetched', { sha256 });
    return true;
  }

  /**
   * A copy that cannot be used is told even when a new pin is what rules it out: it says why this start waits for the
   * sources, and that there is nothing to fall back to. Its root stays the known one all the same.
   */
  #takeCached({ sources, rootSha256, fetchedAt }: StoredAnchor): void {
    const now = this.#options.clock();
    const { anchor, problem } = this.#read(sources, { now, rootSha256: this.#pin ?? rootSha256 });
    if (anchor === null) {
      this.#report('refused', { detail: `from the cache: ${problem}` });
      return;
    }
    this.#state = this.#stateOf(anchor, 'cache', fetchedAt);
    this.#report('from_cache', { sha256: anchor.certificates[0].sha256 });
  }

  #read(sources: readonly StoredSource[], claim: Pick<AnchorClaim, 'now' | 'rootSha256'>): Reading {
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
    const reading = readAnchor({ name, certificates, ...claim });
    if (!reading.ok) return { anchor: null, roots, problem: reading.problems.join('; ') };
    const refusal = accept(reading.anchor);
    if (refusal !== null) return { anchor: null, roots, problem: refusal };
    return { anchor: reading.anchor, roots, problem: null };
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
  | { readonly anchor: Anchor; readonly roots: readonly Certificate[]; readonly problem: null }
  | { readonly anchor: null; readonly roots: readonly Certificate[]; readonly problem: string };

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
