/** Everything that a snapshot is made of, opened, changed and closed together: configuration, trust, revocation, ticket keys. */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadedConfig } from '../config/load.ts';
import { epochEnd, epochOf, ticketKeys } from '../handshake/resumption.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { RevocationEvent, SourceState } from '../revocation/event.ts';
import { openRevocation, type Revocation } from '../revocation/service.ts';
import type { TrustRequest } from '../trust/request-files.ts';
import { RequestHandler } from '../trust/request-handler.ts';
import { openTrustService, type TrustService } from '../trust/service.ts';
import type { TrustOptions } from '../trust/settings.ts';
import type { AnchorState, TrustEvent } from '../trust/state.ts';
import {
  buildSnapshot,
  candidateName,
  commonAnchors,
  revocationSubjects,
  type UsableAnchors,
} from './build-snapshot.ts';
import { acceptAnchor } from './preflight.ts';

interface SourcesOptions {
  /** Aborted: every fetch ends at once. */
  readonly signal: AbortSignal;
  /** Another snapshot would come of it now. */
  readonly onChange: () => void;
  readonly onTrust: (event: TrustEvent) => void;
  readonly onRevocation: (event: RevocationEvent) => void;
}

/** How long CRLs and OCSP answers about CAs are waited for that nobody had before: without them every caller is unknown, ms. */
const FIRST_ANSWERS_MS = 3000;
/** A day: timers take no more than 24, and the key's epoch is looked at again when it rings. */
const LONGEST_PAUSE_MS = 24 * 3_600_000;

export class Sources implements AsyncDisposable {
  readonly #options: SourcesOptions;
  #loaded: LoadedConfig;
  #trust: TrustService | null = null;
  #candidates: TrustService | null = null;
  readonly #revocation: Revocation;
  /** Of a start without secretFile: replicas do not resume each other's sessions, reloads do not end them. */
  readonly #secret = randomBytes(32);
  #generation = 0;
  #epochTimer: NodeJS.Timeout | undefined;
  /** What snapshots are made of: trust may know an anchor before anybody looks after its revocation. */
  #usable: UsableAnchors = { anchors: [], candidates: null };
  /** While a configuration is taken over nobody is told of the half of it; resolves when the whole was told. */
  #takingOver: Promise<void> | null = null;
  readonly #requests: RequestHandler;

  private constructor(loaded: LoadedConfig, options: SourcesOptions) {
    this.#options = options;
    this.#loaded = loaded;
    this.#requests = new RequestHandler({
      cacheDir: () => this.#loaded.config.trust.cacheDir,
      onRequest: async (request) => {
        if (request.command === 'refresh') void this.refresh();
        else await this.#forget(request);
      },
      onProblem: (detail) => options.onTrust({ type: 'trust', action: 'cache_failed', anchor: null, detail }),
    });
    this.#revocation = openRevocation({
      cacheDir: loaded.config.trust.cacheDir,
      signal: options.signal,
      onChange: () => this.#changed(),
      onEvent: options.onRevocation,
    });
  }

  /** Throws TrustError for anchors that cannot be used as they are configured. */
  static async open(loaded: LoadedConfig, options: SourcesOptions): Promise<Sources> {
    const sources = new Sources(loaded, options);
    await sources.update(loaded);
    return sources;
  }

  get loaded(): LoadedConfig {
    return this.#loaded;
  }

  /** Of the last snapshot. */
  get generation(): number {
    return this.#generation;
  }

  /** Every usable anchor; a confirmation makes it younger and nothing else of it another. */
  anchors(): readonly AnchorState[] {
    const current = new Map(this.#trust?.states().map((state) => [state.name, state]));
    return this.#usable.anchors.map((anchor) => {
      return { ...anchor, fetchedAt: current.get(anchor.name)?.fetchedAt ?? anchor.fetchedAt };
    });
  }

  revocationSources(): readonly SourceState[] {
    return this.#revocation.sources();
  }

  /** Takes another configuration as a whole, and tells of it. Throws TrustError, and then nothing has changed. */
  async update(loaded: LoadedConfig): Promise<void> {
    const { anchors, candidates } = loaded.config.trust;
    const accept = acceptAnchor(loaded.config.clients);
    // Candidates first: where either is refused, nothing that counts has changed.
    const rehearsed =
      candidates &&
      (await this.#follow(this.#candidates, loaded, { anchors: candidates, list: 'candidates' }));
    this.#trust = await this.#follow(this.#trust, loaded, { anchors, accept });
    if (rehearsed === undefined) this.#candidates?.close();
    this.#candidates = rehearsed ?? null;
    this.#loaded = loaded;
    this.#takingOver = this.#takeOver();
    await this.#takingOver;
  }

  /** Looks at the dates of the anchors, and does what a command has asked for. */
  look(): void {
    this.#trust?.checkDates();
    this.#candidates?.checkDates();
    void this.#requests.run();
  }

  /** Fetches everything now: anchors, CRLs, OCSP answers. Never rejects. */
  async refresh(): Promise<void> {
    await Promise.all([this.#trust?.refresh(), this.#candidates?.refresh(), this.#revocation.refresh()]);
  }

  /** The clock was set, or the machine slept: what that concerns is fetched now, and every connection judged anew. */
  wake(): void {
    this.#revocation.wake();
    void this.#trust?.refresh();
    void this.#candidates?.refresh();
    this.#changed();
  }

  /** The next one: its generation is one higher than the last. */
  snapshot(): PolicySnapshot {
    const { config, resumptionSecret } = this.#loaded;
    const snapshot = buildSnapshot(this.#loaded, {
      ...this.#usable,
      generation: ++this.#generation,
      revocation: (anchor) => this.#revocation.material(anchor),
    });
    const { resumption } = config.listen;
    clearTimeout(this.#epochTimer);
    if (resumption === null) return { ...snapshot, ticketKeys: null };
    const now = Date.now();
    const pause = Math.min(epochEnd(now, resumption.rotate) - now, LONGEST_PAUSE_MS);
    this.#epochTimer = setTimeout(() => this.#changed(), pause).unref();
    const epoch = epochOf(now, resumption.rotate);
    return {
      ...snapshot,
      ticketKeys: ticketKeys({ secret: resumptionSecret ?? this.#secret, trust: snapshot, epoch }),
    };
  }

  /**
   * Looks after the revocation of a leaf (DER) that a relay thread lets in, or would but for that. Resolves with its
   * SHA-256, lower hex, when its sources have answered and `onChange` was called for what they said.
   */
  async contact(anchor: string, leaf: Uint8Array): Promise<string> {
    await this.#revocation.contact(anchor, leaf);
    while (this.#takingOver !== null) await this.#takingOver;
    return createHash('sha256').update(leaf).digest('hex');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#epochTimer);
    this.#trust?.close();
    this.#candidates?.close();
    await this.#revocation.close();
  }

  async #follow(
    current: TrustService | null,
    { config: { trust } }: LoadedConfig,
    differs: Pick<TrustOptions, 'anchors' | 'accept' | 'list'>,
  ): Promise<TrustService> {
    const { requirePin, refresh, cacheDir } = trust;
    const settings = { requirePin, refresh, cacheDir, ...differs };
    if (current !== null) {
      await current.update(settings);
      return current;
    }
    const { signal, onTrust: onEvent } = this.#options;
    return openTrustService({ ...settings, signal, onEvent, onAnchors: () => void this.#onAnchors() });
  }

  async #forget({
    anchor,
    candidate,
    address,
  }: TrustRequest & { readonly command: 'forget' }): Promise<void> {
    const name = candidate ? candidateName(anchor) : anchor;
    if (await this.#revocation.forget(name, address)) return;
    const detail = 'nothing is kept of it';
    const where = address === null ? {} : { address };
    this.#options.onRevocation({ type: 'revocation', action: 'forgotten', anchor: name, ...where, detail });
  }

  async #onAnchors(): Promise<void> {
    // With the first anchor the port opens: whoever comes then is not refused for what could have been asked before.
    if (this.#usable.anchors.length === 0) {
      this.#takingOver = this.#takeOver();
      return this.#takingOver;
    }
    await this.#lookAfterAnchors();
    this.#changed();
  }

  async #takeOver(): Promise<void> {
    try {
      await this.#lookAfterAnchors();
      await this.#requests.run();
      await Promise.race([
        this.#revocation.firstAnswers(),
        sleep(FIRST_ANSWERS_MS, undefined, { ref: false, signal: this.#options.signal }).catch(() => {}),
      ]);
    } finally {
      this.#takingOver = null;
      this.#changed();
    }
  }

  /** Tells the revocation service which certificates there are now, those of candidates included. */
  async #lookAfterAnchors(): Promise<void> {
    const { trust } = this.#loaded.config;
    const usable: UsableAnchors = {
      anchors: statesOf(trust.anchors, this.#trust),
      candidates: this.#candidates && statesOf(trust.candidates ?? [], this.#candidates),
    };
    // In no snapshot is an anchor whose revocation nobody looks after: who goes is gone before, who comes comes after.
    this.#usable = commonAnchors(this.#usable, usable);
    await this.#revocation.update(revocationSubjects(trust, usable));
    this.#usable = usable;
  }

  #changed(): void {
    if (this.#takingOver === null) this.#options.onChange();
  }
}

/** Of the anchors that are configured: while a configuration is taken over, trust is ahead of it. */
function statesOf(
  configured: readonly { readonly name: string }[],
  trust: TrustService | null,
): AnchorState[] {
  const names = new Set(configured.map(({ name }) => name));
  return trust?.states().filter(({ name }) => names.has(name)) ?? [];
}
