/** Keeps the OCSP status of one certificate up to date: queries its responders before the answer expires, and verifies and stores responses. */

import { PeriodicTask } from '../../fetch/periodic-task.ts';
import type { Certificate } from '../../pki/certificate.ts';
import type { RevocationNotice, SourceState } from '../event.ts';
import type { FeedContext } from '../feed-context.ts';
import { FirstAnswer } from '../first-answer.ts';
import { ocspDelay } from '../schedule.ts';
import { SourceFailure } from '../source-failure.ts';
import type { OcspResult } from '../state.ts';
import type { ConcurrencyLimit } from './concurrency-limit.ts';
import { describeAnswer, describeRefusal } from './describe.ts';
import { type IsRevoked, type OcspQuerySuccess, queryResponders } from './query.ts';
import { type OcspAnswer, readOcspResponse } from './response.ts';
import { failedResult, isSameResult, resultOfAnswer } from './result.ts';
import { deleteOcsp, loadOcsp, type OcspCacheKey, saveOcsp } from './store.ts';
import { checkOcspSuccession, isFresh, isSameStatus } from './succession.ts';
import type { OcspTarget } from './targets.ts';

interface OcspFeedOptions extends FeedContext, OcspTarget {
  /** Folder of the responses on disk. */
  readonly folder: string;
  /** Milliseconds for one query. */
  readonly timeout: number;
  /** Limits the queries that no handshake waits for. */
  readonly background: ConcurrencyLimit;
  /** Called with certificates of delegated responders. */
  readonly isRevoked: IsRevoked;
}

export class OcspFeed {
  readonly #options: OcspFeedOptions;
  readonly #failure: SourceFailure;
  readonly #task: PeriodicTask;
  readonly #firstAnswer = new FirstAnswer();
  #addresses: readonly string[];
  #ended = false;
  #answer: OcspAnswer | null = null;
  #result: OcspResult | null = null;
  #fetchedAt: number | null = null;
  /** Consecutive runs that ended without a fresh answer. */
  #unsuccessful = 0;

  constructor(options: OcspFeedOptions) {
    this.#options = options;
    this.#addresses = options.addresses;
    this.#failure = new SourceFailure((notice) => this.#report(notice));
    this.#task = new PeriodicTask({
      timers: options.timers,
      run: (signal) => this.#run(signal),
      delay: () => this.#delay(),
    });
  }

  get issuer(): Certificate {
    return this.#options.issuer;
  }

  /** null: no query has ended yet. */
  get result(): OcspResult | null {
    return this.#result;
  }

  /** Resolves when the responders have answered once, successfully or not; null: they have, or a copy was on disk. */
  get firstAnswer(): Promise<void> | null {
    return this.#firstAnswer.pending;
  }

  get addresses(): readonly string[] {
    return this.#addresses;
  }

  state(): SourceState {
    const { anchor, certificate } = this.#options;
    return {
      ...{
        anchor,
        kind: 'ocsp',
        address: this.#addresses.join(' '),
        entries: null,
        unclear: null,
        number: null,
      },
      subject: certificate.subject,
      serial: certificate.serial,
      certificate: certificate.sha256,
      fetchedAt: this.#fetchedAt,
      thisUpdate: this.#answer?.thisUpdate ?? null,
      nextUpdate: this.#answer?.nextUpdate ?? null,
      status: this.#answer?.status ?? null,
      problem: this.#failure.detail,
      failures: this.#failure.failures,
    };
  }

  /** Loads the response on disk and starts the queries; resolves before the first query. */
  async start(): Promise<void> {
    await this.#restore();
    if (this.#answer === null) this.#task.runNow();
    else this.#task.schedule();
  }

  /** Queries now if the addresses have changed. */
  setAddresses(addresses: readonly string[]): void {
    if (addresses.join(' ') === this.#addresses.join(' ')) return;
    this.#addresses = addresses;
    this.#task.runNow();
  }

  /** Queries now, and restarts the backoff. */
  async refresh(): Promise<void> {
    this.#unsuccessful = 0;
    await this.#task.runNow();
  }

  /** The clock was set, or the machine was suspended: queries now if the answer is expired, failed or from the future. */
  wake(): void {
    const isAhead = (this.#fetchedAt ?? 0) > this.#options.clock();
    if (!this.#isFresh || isAhead || this.#failure.detail !== null) void this.refresh();
    else this.#task.schedule();
  }

  /** Drops the stored answer, in memory and on disk, at the operator's request, and queries again. */
  async forget(): Promise<void> {
    await this.#task.interrupt();
    if (this.#ended) return;
    await this.#options.cache.write(() => deleteOcsp(this.#key));
    this.#answer = null;
    this.#result = null;
    this.#fetchedAt = null;
    this.#failure.clear();
    this.#report({ action: 'forgotten', address: this.#addresses.join(' ') });
    this.#options.onChange();
    void this.refresh();
  }

  /** The policy has another refresh interval. */
  reschedule(): void {
    this.#task.schedule();
  }

  /** `forget`: the certificate is not checked any more, so its copy is deleted. */
  async end({ forget }: { readonly forget: boolean }): Promise<void> {
    this.#ended = true;
    this.#firstAnswer.resolve();
    await this.#task.end();
    if (forget) await this.#options.cache.write(() => deleteOcsp(this.#key));
  }

  get #key(): OcspCacheKey {
    return { folder: this.#options.folder, sha256: this.#options.certificate.sha256 };
  }

  async #restore(): Promise<void> {
    const { cache, certificate, issuer, clock, policy } = this.#options;
    const stored = await cache.read(() => loadOcsp(this.#key));
    if (stored === null || this.#ended) return;
    const { grace } = policy();
    const reading = readOcspResponse(stored.bytes, { certificate, issuer, now: clock(), grace });
    if (!reading.ok) {
      if (reading.problem !== 'expired')
        this.#report({ action: 'ocsp_refused', detail: `from the cache: ${describeRefusal(reading)}` });
      return;
    }
    this.#use(reading.answer, { address: stored.url, at: stored.fetchedAt });
    this.#firstAnswer.resolve();
  }

  async #run(signal: AbortSignal): Promise<void> {
    const { inBackground, background } = this.#options;
    const query = () => this.#query(signal);
    const isAwaited = !inBackground && this.firstAnswer !== null;
    const success = await (isAwaited ? query() : background.run(query));
    if (signal.aborted) return;
    if (success !== null) this.#adopt(success);
    else this.#publishFailure();
    this.#unsuccessful = success === null || !this.#isFresh ? this.#unsuccessful + 1 : 0;
    this.#firstAnswer.resolve();
    if (success === null || !isSameStatus(success.answer, this.#answer)) return;
    const stored = { url: success.address, fetchedAt: this.#fetchedAt ?? 0, bytes: success.bytes };
    await this.#options.cache.write(() => saveOcsp(this.#key, stored));
  }

  /** null: no responder sent a usable response, which is reported. */
  async #query(signal: AbortSignal): Promise<OcspQuerySuccess | null> {
    const { certificate, issuer, timeout, tlsCa, clock, isRevoked } = this.#options;
    const queried = await queryResponders({
      ...{ certificate, issuer, addresses: this.#addresses, timeout, signal, clock, isRevoked },
      ...{ ca: tlsCa(), last: this.#answer },
    });
    if (queried.ok) return queried;
    if (!signal.aborted) this.#failure.record(queried.failures);
    return null;
  }

  #adopt({ address, answer }: OcspQuerySuccess): void {
    const last = this.#answer;
    const hadFailed = this.#failure.clear();
    const at = this.#options.clock();
    this.#fetchedAt = at;
    if (last?.status !== answer.status)
      this.#report({ action: 'ocsp_fetched', address, detail: describeAnswer(answer) });
    else if (hadFailed) this.#report({ action: 'ocsp_confirmed', address, detail: describeAnswer(answer) });
    if (checkOcspSuccession(answer, last, at) === 'new') this.#use(answer, { address, at });
  }

  #use(answer: OcspAnswer, { address, at }: { readonly address: string; readonly at: number }): void {
    this.#answer = answer;
    this.#fetchedAt = at;
    this.#publish(resultOfAnswer(answer, { certificate: this.#options.certificate.tbsSha256, address }));
  }

  /** Publishes nothing while a good answer is fresh: every failure would make a new policy snapshot. */
  #publishFailure(): void {
    const { detail: problem } = this.#failure;
    const address = this.#addresses.join(' ');
    const certificate = this.#options.certificate.tbsSha256;
    if (this.#answer === null)
      this.#publish(failedResult(problem ?? 'no responder answered', { certificate, address }));
    else if (this.#answer.status === 'good' && this.#result !== null && !this.#isFresh)
      this.#publish({ ...this.#result, problem });
  }

  #publish(result: OcspResult): void {
    if (isSameResult(result, this.#result)) return;
    this.#result = result;
    this.#options.onChange();
  }

  get #isFresh(): boolean {
    return isFresh(this.#answer, this.#options.clock());
  }

  #delay(): number {
    const { policy, clock, random } = this.#options;
    const { status = null, freshUntil = null } = this.#answer ?? {};
    return ocspDelay({
      failures: this.#unsuccessful,
      refresh: policy().refresh,
      // A revocation does not expire.
      end: status === 'revoked' ? null : freshUntil,
      now: clock(),
      random: random(),
    });
  }

  #report(notice: RevocationNotice): void {
    const certificate = this.#options.certificate.subject;
    if (!this.#ended) this.#options.report({ certificate, ...notice });
  }
}
