/** The inputs of a snapshot, opened, updated and closed together: configuration, trust, key sets, revocation, ticket keys. */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadedConfig } from '../config/load.ts';
import type { KeySetState } from '../keys/state.ts';
import type { Answer, Question } from '../policy/question.ts';
import type { PolicySnapshot } from '../policy/snapshot.ts';
import type { RevocationEvent, SourceState } from '../revocation/event.ts';
import { openRevocation, type Revocation } from '../revocation/service.ts';
import type { TrustRequest } from '../trust/request-files.ts';
import { RequestHandler } from '../trust/request-handler.ts';
import { type PreparedUpdate, TrustService } from '../trust/service.ts';
import type { TrustOptions } from '../trust/settings.ts';
import type { AnchorSource, AnchorState, TrustEvent } from '../trust/state.ts';
import {
  buildSnapshot,
  candidateName,
  commonAnchors,
  revocationSubjects,
  type UsableAnchors,
} from './build-snapshot.ts';
import { MessagePolicies, type MessagePoliciesOptions } from './message-policies.ts';
import { acceptAnchor } from './preflight.ts';
import { TicketKeyEpochs } from './ticket-key-epochs.ts';

interface SourcesOptions extends MessagePoliciesOptions {
  /** Something changed that the next snapshot will contain. */
  readonly onChange: () => void;
  readonly onTrust: (event: TrustEvent) => void;
  readonly onRevocation: (event: RevocationEvent) => void;
}

/** How long the first CRLs and OCSP answers about CAs are awaited before `onChange`, ms: until then every status is unknown. */
const FIRST_ANSWERS_MS = 3000;

export class Sources implements AsyncDisposable {
  readonly #options: SourcesOptions;
  #loaded: LoadedConfig;
  #trust: TrustService | null = null;
  #candidates: TrustService | null = null;
  readonly #revocation: Revocation;
  readonly #policies: MessagePolicies;
  readonly #tickets = new TicketKeyEpochs(() => this.#changed());
  #generation = 0;
  /** The anchors of the next snapshot. `#trust` may have an anchor earlier, before its revocation sources are followed. */
  #usable: UsableAnchors = { anchors: [], candidates: null };
  /** Set while a configuration or changed anchors are applied, when `onChange` is held back; resolves after that call. */
  #applying: Promise<void> | null = null;
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
    this.#policies = new MessagePolicies({ ...options, onChange: () => this.#changed() });
  }

  /** Throws TrustError if anchors cannot be used as configured; then nothing is left open. */
  static async open(loaded: LoadedConfig, options: SourcesOptions): Promise<Sources> {
    const sources = new Sources(loaded, options);
    try {
      await sources.update(loaded);
    } catch (error) {
      await sources[Symbol.asyncDispose]();
      throw error;
    }
    return sources;
  }

  get loaded(): LoadedConfig {
    return this.#loaded;
  }

  /** Of the last snapshot. */
  get generation(): number {
    return this.#generation;
  }

  /** Every usable anchor, with the time of its last confirmation. */
  anchors(): readonly AnchorState[] {
    const current = new Map(this.#trust?.states().map((state) => [state.name, state]));
    return this.#usable.anchors.map((anchor) => {
      return { ...anchor, fetchedAt: current.get(anchor.name)?.fetchedAt ?? anchor.fetchedAt };
    });
  }

  /** Every configured anchor, usable or not. */
  anchorSources(): readonly AnchorSource[] {
    return this.#trust?.sources() ?? [];
  }

  /** Until `onChange`, the configuration, the anchors and their revocation data may not match: no snapshot is to be made. */
  get isApplying(): boolean {
    return this.#applying !== null;
  }

  revocationSources(): readonly SourceState[] {
    return this.#revocation.sources();
  }

  /** Every configured key set, read or not. */
  keySets(): readonly KeySetState[] {
    return this.#policies.keySets();
  }

  /**
   * Applies another configuration as a whole and calls `onChange`. Throws TrustError: then nothing has changed.
   */
  async update(loaded: LoadedConfig): Promise<void> {
    const { anchors, candidates } = loaded.config.trust;
    const accept = acceptAnchor(loaded.config.clients);
    // Both are prepared before either is applied, so that a refused one leaves the other unchanged.
    const planned =
      candidates &&
      (await this.#prepare(this.#candidates, loaded, { anchors: candidates, list: 'candidates' }));
    const enforced = await this.#prepare(this.#trust, loaded, { anchors, accept });
    const [applyPolicies] = await Promise.all([
      this.#policies.prepare(loaded),
      enforced.apply(),
      planned?.apply(),
    ]);
    applyPolicies();
    this.#trust = enforced.service;
    if (planned === undefined) this.#candidates?.close();
    this.#candidates = planned?.service ?? null;
    this.#loaded = loaded;
    await this.#apply();
  }

  /** To be called every second: checks the dates of the anchors and the requests of `ehi-gateway trust`. */
  tick(): void {
    this.#trust?.checkDates();
    this.#candidates?.checkDates();
    void this.#requests.run();
  }

  /** Fetches trust anchors, key sets, CRLs and OCSP answers now. Never rejects. */
  async refresh(): Promise<void> {
    await Promise.all([
      ...[this.#trust?.refresh(), this.#candidates?.refresh()],
      ...[this.#policies.refresh(), this.#revocation.refresh()],
    ]);
  }

  /** The clock was set or the machine slept: fetches what may have expired; every connection is authorized again. */
  clockJumped(): void {
    this.#revocation.wake();
    void this.#trust?.refresh();
    void this.#candidates?.refresh();
    void this.#policies.refresh();
    this.#changed();
  }

  /** Builds a snapshot with the next generation number, and schedules `onChange` for the next ticket key. */
  nextSnapshot(): PolicySnapshot {
    const snapshot = buildSnapshot(this.#loaded, {
      ...this.#usable,
      generation: ++this.#generation,
      revocation: (anchor) => this.#revocation.material(anchor),
      ...this.#policies.material(this.#loaded),
    });
    return this.#tickets.complete(snapshot, this.#loaded);
  }

  /**
   * Checks the revocation of a leaf (DER) whose status a relay thread needs. Resolves with the leaf's SHA-256, lower-case
   * hex, when its sources have answered and `onChange` was called for the result.
   */
  async contact(anchor: string, leaf: Uint8Array): Promise<string> {
    await this.#revocation.contact(anchor, leaf);
    while (this.#applying !== null) await this.#applying;
    return createHash('sha256').update(leaf).digest('hex');
  }

  /** Answers a question of a relay thread; what the answer depends on is in the next snapshot. Never rejects. */
  async answer(question: Question): Promise<Answer> {
    const answer = await this.#policies.answer(question);
    if (question.kind === 'refresh_keys') while (this.#applying !== null) await this.#applying;
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#tickets.close();
    this.#trust?.close();
    this.#candidates?.close();
    this.#policies.close();
    await this.#revocation.close();
  }

  /** `current`: null for a service that is not open yet. */
  #prepare(
    current: TrustService | null,
    { config: { trust } }: LoadedConfig,
    differs: Pick<TrustOptions, 'anchors' | 'accept' | 'list'>,
  ): Promise<PreparedUpdate> {
    const { requirePin, refresh, cacheDir } = trust;
    const settings = { requirePin, refresh, cacheDir, ...differs };
    if (current !== null) return current.prepare(settings);
    const { signal, onTrust: onEvent } = this.#options;
    const options = { ...settings, signal, onEvent, onAnchors: () => void this.#apply() };
    return new TrustService(options).prepare(options);
  }

  async #forget({
    anchor,
    candidate,
    address,
  }: TrustRequest & { readonly command: 'forget' }): Promise<void> {
    const name = candidate ? candidateName(anchor) : anchor;
    if (await this.#revocation.forget(name, address)) return;
    const detail = 'no CRL or OCSP answer of it is stored';
    const where = address === null ? {} : { address };
    this.#options.onRevocation({ type: 'revocation', action: 'forgotten', anchor: name, ...where, detail });
  }

  /** Applies the present configuration and anchors; repeated calls one after the other. */
  #apply(): Promise<void> {
    const before = this.#applying?.catch(() => {}) ?? Promise.resolve();
    const applied = before
      .then(() => this.#awaitRevocation())
      .finally(() => {
        if (this.#applying === applied) this.#applying = null;
        this.#changed();
      });
    this.#applying = applied;
    return applied;
  }

  /**
   * The first answers about new anchors and about new certificates of known ones, as of a renewed CA, are awaited, so that
   * no client is refused for the lack of them.
   */
  async #awaitRevocation(): Promise<void> {
    await this.#updateRevocation();
    await this.#requests.run();
    await Promise.race([
      this.#revocation.firstAnswers(),
      sleep(FIRST_ANSWERS_MS, undefined, { ref: false, signal: this.#options.signal }).catch(() => {}),
    ]);
  }

  /** Updates the revocation service with the current certificates, including those of candidates. */
  async #updateRevocation(): Promise<void> {
    const { trust } = this.#loaded.config;
    const usable: UsableAnchors = {
      anchors: statesOf(trust.anchors, this.#trust),
      candidates: this.#candidates && statesOf(trust.candidates ?? [], this.#candidates),
    };
    // No snapshot may contain an anchor whose revocation is not followed: removed anchors leave before the update, new
    // anchors enter after it.
    this.#usable = commonAnchors(this.#usable, usable);
    await this.#revocation.update(revocationSubjects(trust, usable));
    this.#usable = usable;
  }

  #changed(): void {
    if (this.#applying === null) this.#options.onChange();
  }
}

/** The states of the configured anchors; while a configuration is applied, `trust` may have others. */
function statesOf(
  configured: readonly { readonly name: string }[],
  trust: TrustService | null,
): AnchorState[] {
  const names = new Set(configured.map(({ name }) => name));
  return trust?.states().filter(({ name }) => names.has(name)) ?? [];
}
