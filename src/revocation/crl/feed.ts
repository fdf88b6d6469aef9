/** Keeps one address' CRL current: brings it, has it read, and lets only a sound successor take the last one's place. */

import type { SourceState } from '../event.ts';
import type { FeedContext } from '../feed-context.ts';
import { Repetition } from '../periodic-task.ts';
import { crlPause } from '../schedule.ts';
import { Problem, reasonOf, type Telling } from '../source-failure.ts';
import { type CrlSnapshot, crlEnd } from './crl.ts';
import type { CrlAnswer } from './job.ts';
import type { CrlParser } from './parser.ts';
import { CrlHolding } from './retained-crls.ts';
import type { Brought, CrlSource, Delivery } from './source.ts';

/** How often a file is looked at, ms: whoever replaces it tells nobody. */
const filePoll = 5000;

export interface CrlFeedOptions extends FeedContext {
  readonly source: CrlSource;
  readonly parser: CrlParser;
  /** The same CRL where another address has brought it before, so that its table is there once. */
  readonly shared: (crl: CrlSnapshot) => CrlSnapshot;
}

export class CrlFeed {
  readonly #options: CrlFeedOptions;
  readonly #problem: Problem;
  readonly #holding: CrlHolding;
  readonly #repetition: Repetition;
  readonly #settled = Promise.withResolvers<void>();
  #isSettled = false;
  #isStarting = true;
  #ended = false;
  /** Turns in a row after which there is no CRL that holds. */
  #fruitless = 0;
  /** What was refused may be believed now. */
  #isAnew = false;

  constructor(options: CrlFeedOptions) {
    this.#options = options;
    const tell = (telling: Telling) => this.#tell(telling);
    this.#problem = new Problem(tell);
    this.#holding = new CrlHolding({
      ...{ ...options, tell, problem: this.#problem },
      onUse: () => this.#settle(),
      dropFormer: () => options.source.dropFormer(),
      onEnd: () => {
        // What was set aside may take its place now, or the source has another one.
        if (!this.#isStarting) void this.#repetition.now();
      },
    });
    this.#repetition = new Repetition({
      timers: options.timers,
      turn: (signal) => this.#turn(signal),
      pause: () => (options.source.kind === 'file' ? filePoll : this.#pause()),
    });
  }

  /** The last good one; null: there is none yet. */
  get crl(): CrlSnapshot | null {
    return this.#holding.inUse;
  }

  /** Sound ones beside it, of which only what they revoke counts. */
  get aside(): readonly CrlSnapshot[] {
    return this.#holding.aside;
  }

  get addresses(): readonly string[] {
    return [this.#options.source.address];
  }

  /** Resolves when the source has answered once, well or badly, or need not: its last word was on disk. */
  get settled(): Promise<void> | null {
    return this.#isSettled ? null : this.#settled.promise;
  }

  state(): SourceState {
    const { anchor, source } = this.#options;
    const { crl } = this;
    return {
      ...{ anchor, kind: 'crl', address: source.address, certificate: null, serial: null, status: null },
      subject: crl?.issuerText ?? null,
      fetchedAt: this.#holding.fetchedAt,
      thisUpdate: crl?.thisUpdate ?? null,
      // Without one it has ended by the day it came: that is what an alert is to see.
      nextUpdate: crl === null ? null : crlEnd(crl),
      entries: crl?.table.count ?? null,
      unclear: crl && (crl.unclear?.count ?? 0),
      number: crl?.number?.toString() ?? null,
      problem: this.#problem.detail,
      failures: this.#problem.failures,
    };
  }

  /** Takes what is on disk, and then begins to ask; resolves before anything was fetched. */
  async start(): Promise<void> {
    if (this.#options.source.kind === 'file') {
      this.#isStarting = false;
      return this.#repetition.now();
    }
    await this.#recall();
    this.#isStarting = false;
    // A copy that nobody has confirmed yet counts as a failure: its source is asked within a second.
    this.#fruitless = 1;
    if (this.#holding.holds) this.#repetition.schedule();
    else this.#repetition.now();
  }

  /** A file is looked at now: whoever has the configuration read again may have replaced it. */
  async look(): Promise<void> {
    this.#holding.look();
    if (this.#options.source.kind === 'file') await this.refresh();
  }

  /** Asks now, and soon again where that brings nothing; what was refused is judged anew. */
  async refresh(): Promise<void> {
    this.#fruitless = 0;
    if (this.#problem.detail !== null) this.#isAnew = true;
    await this.#repetition.now();
  }

  /** The clock was set, or the machine slept: asks now where what is known has ended, or was judged by another clock. */
  wake(): void {
    this.#holding.look();
    const { fetchedAt, holds } = this.#holding;
    const isDoubtful = !holds || this.#problem.detail !== null || (fetchedAt ?? 0) > this.#options.clock();
    if (isDoubtful) void this.refresh();
    else this.#repetition.schedule();
  }

  /** The policy has another pause than before. */
  reschedule(): void {
    this.#repetition.schedule();
  }

  /** The anchor's certificates have changed: what they no longer sign goes, what was refused is brought again. */
  async reissue(): Promise<void> {
    const { certificates, source } = this.#options;
    const isSigned = (crl: CrlSnapshot) => certificates().some(({ sha256 }) => sha256 === crl.signer.sha256);
    const holds = this.crl !== null && isSigned(this.crl);
    if (holds && this.#problem.detail === null) return;
    await this.#repetition.interrupt();
    this.#isAnew = true;
    // The key is enough: the certificate that was renewed under it may have gone.
    const keys = new Set(certificates().map(({ spkiPin }) => spkiPin));
    this.#holding.dropAside(({ signer }) => keys.has(signer.spkiPin));
    if (!holds) {
      this.#holding.drop();
      await this.#recall();
      this.#options.onChange();
    }
    const turn = this.#repetition.now();
    if (source.kind === 'file') await turn;
  }

  /** The operator wants what is kept dropped, in memory and on disk: it is brought anew. */
  async forget(): Promise<void> {
    await this.#repetition.interrupt();
    if (this.#ended) return;
    await this.#options.source.forget();
    this.#holding.drop();
    this.#problem.ends();
    this.#tell({ action: 'forgotten' });
    this.#options.onChange();
    void this.refresh();
  }

  /** `forget`: nobody wants this address any more. */
  async end({ forget }: { readonly forget: boolean }): Promise<void> {
    this.#ended = true;
    this.#holding.clear();
    this.#settle();
    await this.#repetition.end();
    if (forget) await this.#options.source.forget();
  }

  async #recall(): Promise<void> {
    const recalled = await this.#options.source.recall();
    await this.#holding.recall(recalled, (copy) => this.#readCopy(copy));
  }

  /** null: it cannot be used, which is told; or the feed has ended. */
  async #readCopy(source: Uint8Array | string): Promise<CrlSnapshot | null> {
    const answer = await this.#read(source);
    if (this.#ended) return null;
    if (answer === null || answer.ok) return answer?.crl ?? null;
    this.#tell({ action: 'crl_refused', detail: `from the cache: ${answer.detail}` });
    return null;
  }

  async #turn(signal: AbortSignal): Promise<void> {
    await this.#holding.reconsider();
    const brought = await this.#bring(signal);
    if (signal.aborted) return;
    if (brought?.status === 'delivered') await this.#judge(brought, signal);
    else if (brought?.status === 'confirmed') this.#holding.confirm();
    else if (brought !== null && !(await this.#holding.reconsider())) this.#problem.goesOn();
    this.#fruitless = this.#holding.holds && this.#problem.detail === null ? 0 : this.#fruitless + 1;
    this.#settle();
  }

  async #bring(signal: AbortSignal): Promise<Brought | null> {
    const { source } = this.#options;
    try {
      return await source.bring({ fresh: this.crl === null || this.#isAnew, signal });
    } catch (cause) {
      if (!signal.aborted) this.#fail('crl_fetch_failed', reasonOf(cause, source.address));
      return null;
    }
  }

  async #judge(delivery: Delivery, signal: AbortSignal): Promise<void> {
    const answer = await this.#read(delivery.source);
    if (answer === null || signal.aborted) return delivery.discard();
    this.#isAnew = false;
    if (answer.ok) return this.#holding.admit(answer.crl, delivery);
    this.#fail('crl_refused', answer.detail);
    await delivery.discard();
  }

  /** null: the feed has ended meanwhile. */
  async #read(source: Uint8Array | string): Promise<CrlAnswer | null> {
    const { parser, certificates } = this.#options;
    try {
      return await parser.parse({ source, issuers: certificates() });
    } catch (cause) {
      return this.#ended ? null : { ok: false, problem: 'file', detail: reasonOf(cause) };
    }
  }

  #fail(action: 'crl_fetch_failed' | 'crl_refused', detail: string): void {
    this.#problem.occurs([{ action, detail }]);
  }

  /** A source that goes on serving a CRL that has ended is asked more and more slowly, like one that fails. */
  #pause(): number {
    const { policy, clock, random } = this.#options;
    return crlPause({
      failures: this.#fruitless,
      refresh: policy().refresh,
      end: this.crl?.nextUpdate ?? null,
      now: clock(),
      random: random(),
    });
  }

  #settle(): void {
    this.#isSettled = true;
    this.#settled.resolve();
  }

  #tell(telling: Telling): void {
    if (!this.#ended) this.#options.tell({ address: this.#options.source.address, ...telling });
  }
}
