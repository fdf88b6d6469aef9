/** Keeps the CRL of one address up to date: fetches, parses and verifies it, uses it if it may replace the last one. */

import { PeriodicTask } from '../../fetch/periodic-task.ts';
import type { RevocationNotice, SourceState } from '../event.ts';
import type { FeedContext } from '../feed-context.ts';
import { FirstAnswer } from '../first-answer.ts';
import { crlDelay } from '../schedule.ts';
import { messageOf, SourceFailure } from '../source-failure.ts';
import { type CrlSnapshot, crlEnd } from './crl.ts';
import type { CrlParseResult } from './job.ts';
import type { CrlParser } from './parser.ts';
import { RetainedCrls } from './retained-crls.ts';
import { signersOf } from './signer.ts';
import type { CrlFetchResult, CrlSource, FetchedCrl } from './source.ts';

/** How often a CRL file is checked for changes, ms. */
const FILE_POLL = 5000;

interface CrlFeedOptions extends FeedContext {
  readonly source: CrlSource;
  readonly parser: CrlParser;
  /** As in `RetainedCrlsOptions`. */
  readonly deduplicate: (crl: CrlSnapshot) => CrlSnapshot;
}

export class CrlFeed {
  readonly #options: CrlFeedOptions;
  readonly #failure: SourceFailure;
  readonly #crls: RetainedCrls;
  readonly #task: PeriodicTask;
  readonly #firstAnswer = new FirstAnswer();
  #isStarting = true;
  #ended = false;
  /** Consecutive runs that ended without a valid CRL. */
  #unsuccessful = 0;
  /** The next fetch is unconditional, because a CRL that was refused may be accepted now. */
  #fetchWhole = false;

  constructor(options: CrlFeedOptions) {
    this.#options = options;
    const report = (notice: RevocationNotice) => this.#report(notice);
    this.#failure = new SourceFailure(report);
    this.#crls = new RetainedCrls({
      ...{ ...options, report, failure: this.#failure },
      onUse: () => this.#firstAnswer.resolve(),
      dropPrevious: () => options.source.dropPrevious(),
      onExpiry: () => {
        // The pending CRL may be accepted now, or the source has a newer one.
        if (!this.#isStarting) void this.#task.runNow();
      },
    });
    this.#task = new PeriodicTask({
      timers: options.timers,
      run: (signal) => this.#run(signal),
      delay: () => (options.source.kind === 'file' ? FILE_POLL : this.#delay()),
    });
  }

  /** The last good CRL; null: none yet. */
  get crl(): CrlSnapshot | null {
    return this.#crls.inUse;
  }

  /** Verified CRLs that are not in use: only their revocations count. */
  get revokeOnly(): readonly CrlSnapshot[] {
    return this.#crls.revokeOnly;
  }

  get addresses(): readonly string[] {
    return [this.#options.source.address];
  }

  /** Resolves when the source has answered once, successfully or not; null: it has, or a valid copy was on disk. */
  get firstAnswer(): Promise<void> | null {
    return this.#firstAnswer.pending;
  }

  state(): SourceState {
    const { anchor, source } = this.#options;
    const { crl } = this;
    return {
      ...{ anchor, kind: 'crl', address: source.address, certificate: null, serial: null, status: null },
      subject: crl?.issuerText ?? null,
      fetchedAt: this.#crls.fetchedAt,
      thisUpdate: crl?.thisUpdate ?? null,
      // thisUpdate where there is no nextUpdate, so that the alert on expired CRLs fires.
      nextUpdate: crl === null ? null : crlEnd(crl),
      entries: crl?.table.count ?? null,
      unclear: crl && (crl.unclear?.count ?? 0),
      number: crl?.number?.toString() ?? null,
      problem: this.#failure.detail,
      failures: this.#failure.failures,
    };
  }

  /** Loads the copy on disk and starts the fetches; resolves before the first fetch of a URL. */
  async start(): Promise<void> {
    if (this.#options.source.kind === 'file') {
      this.#isStarting = false;
      return this.#task.runNow();
    }
    await this.#restore();
    this.#isStarting = false;
    // An unconfirmed copy counts as a failure, so that its source is asked within a second.
    this.#unsuccessful = 1;
    if (this.#crls.isCurrent) this.#task.schedule();
    else this.#task.runNow();
  }

  /** The configuration was read again: reads a file now, and checks the expiry against the current grace period. */
  async recheck(): Promise<void> {
    this.#crls.checkExpiry();
    if (this.#options.source.kind === 'file') await this.refresh();
  }

  /** Fetches now, and judges a CRL again that was refused; restarts the backoff. */
  async refresh(): Promise<void> {
    this.#unsuccessful = 0;
    if (this.#failure.detail !== null) this.#fetchWhole = true;
    await this.#task.runNow();
  }

  /** The clock was set, or the machine was suspended: fetches now if the CRL is expired, failed or from the future. */
  wake(): void {
    this.#crls.checkExpiry();
    const { fetchedAt, isCurrent } = this.#crls;
    const isAhead = (fetchedAt ?? 0) > this.#options.clock();
    if (!isCurrent || this.#failure.detail !== null || isAhead) void this.refresh();
    else this.#task.schedule();
  }

  /** The policy has another refresh interval. */
  reschedule(): void {
    this.#task.schedule();
  }

  /**
   * The anchor's certificates have changed: drops CRLs whose signer is gone, fetches refused ones again. A signer that only
   * got another certificate for its name and key keeps its CRLs, in use or not.
   */
  async certificatesChanged(): Promise<void> {
    const { certificates, source } = this.#options;
    // The run in progress may verify a CRL with the earlier certificates.
    const { isRunning } = this.#task;
    await this.#task.interrupt();
    this.#crls.dropUnsigned((crl) => signersOf(crl, certificates()).length > 0);
    if (this.crl !== null && this.#failure.detail === null && !isRunning) return;
    this.#fetchWhole = true;
    if (this.crl === null) {
      await this.#restore();
      this.#options.onChange();
    }
    const run = this.#task.runNow();
    if (source.kind === 'file') await run;
  }

  /** Drops the stored CRLs, in memory and on disk, at the operator's request, and fetches again. */
  async forget(): Promise<void> {
    await this.#task.interrupt();
    if (this.#ended) return;
    await this.#options.source.forget();
    this.#crls.clear();
    this.#failure.clear();
    this.#report({ action: 'forgotten' });
    this.#options.onChange();
    void this.refresh();
  }

  /** `forget`: the address is not used any more, so its copies are deleted. */
  async end({ forget }: { readonly forget: boolean }): Promise<void> {
    this.#ended = true;
    this.#crls.stop();
    this.#firstAnswer.resolve();
    await this.#task.end();
    if (forget) await this.#options.source.forget();
  }

  async #restore(): Promise<void> {
    const stored = await this.#options.source.load();
    await this.#crls.restore(stored, (copy) => this.#parseCopy(copy));
  }

  /** null: the copy cannot be used, which is reported; or the feed has ended. */
  async #parseCopy(source: Uint8Array | string): Promise<CrlSnapshot | null> {
    const result = await this.#parse(source);
    if (this.#ended) return null;
    if (result === null || result.ok) return result?.crl ?? null;
    this.#report({ action: 'crl_refused', detail: `from the cache: ${result.detail}` });
    return null;
  }

  async #run(signal: AbortSignal): Promise<void> {
    await this.#crls.retryPending();
    const fetched = await this.#fetch(signal);
    if (signal.aborted) return;
    if (fetched?.status === 'fetched') await this.#judge(fetched, signal);
    else if (fetched?.status === 'confirmed') this.#crls.confirm();
    else if (fetched !== null && !(await this.#crls.retryPending())) this.#failure.repeat();
    this.#unsuccessful = this.#crls.isCurrent && this.#failure.detail === null ? 0 : this.#unsuccessful + 1;
    this.#firstAnswer.resolve();
  }

  async #fetch(signal: AbortSignal): Promise<CrlFetchResult | null> {
    const { source } = this.#options;
    try {
      return await source.fetch({ unconditional: this.crl === null || this.#fetchWhole, signal });
    } catch (cause) {
      const detail = messageOf(cause, source.address);
      if (!signal.aborted) this.#failure.record([{ action: 'crl_fetch_failed', detail }]);
      return null;
    }
  }

  async #judge(fetched: FetchedCrl, signal: AbortSignal): Promise<void> {
    const result = await this.#parse(fetched.source);
    if (result === null || signal.aborted) return fetched.discard();
    this.#fetchWhole = false;
    if (result.ok) return this.#crls.judge(result.crl, fetched);
    this.#failure.record([{ action: 'crl_refused', detail: result.detail }]);
    await fetched.discard();
  }

  /** null: the feed has ended meanwhile. */
  async #parse(source: Uint8Array | string): Promise<CrlParseResult | null> {
    const { parser, certificates } = this.#options;
    try {
      return await parser.parse({ source, issuers: certificates() });
    } catch (cause) {
      return this.#ended ? null : { ok: false, problem: 'file', detail: messageOf(cause) };
    }
  }

  /** A source that keeps serving an expired CRL is asked with backoff, like one that fails. */
  #delay(): number {
    const { policy, clock, random } = this.#options;
    return crlDelay({
      failures: this.#unsuccessful,
      refresh: policy().refresh,
      end: this.crl?.nextUpdate ?? null,
      now: clock(),
      random: random(),
    });
  }

  #report(notice: RevocationNotice): void {
    if (!this.#ended) this.#options.report({ address: this.#options.source.address, ...notice });
  }
}
