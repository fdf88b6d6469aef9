/** Keeps one address' CRL current: brings it, has it read, and lets only a sound successor take the last one's place. */
import { type CrlSnapshot, crlEnd } from './crl.ts';
import { CrlEnd } from './crl-end.ts';
import type { CrlAnswer } from './crl-job.ts';
import type { CrlParser } from './crl-parser.ts';
import type { Brought, CrlSource, Delivery } from './crl-source.ts';
import { objectionToCrl } from './crl-succession.ts';
import { describeCrl, describeEnd } from './describe.ts';
import type { SourceState } from './event.ts';
import type { FeedContext } from './feed-context.ts';
import { Problem, reasonOf, type Telling } from './problem.ts';
import { Repetition } from './repetition.ts';
import { crlPause } from './schedule.ts';

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
  readonly #end: CrlEnd;
  readonly #repetition: Repetition;
  readonly #settled = Promise.withResolvers<void>();
  #isSettled = false;
  #ended = false;
  #crl: CrlSnapshot | null = null;
  #fetchedAt: number | null = null;
  /** Turns in a row after which there is no CRL that holds. */
  #fruitless = 0;
  /** What was refused may be believed now. */
  #isAnew = false;

  constructor(options: CrlFeedOptions) {
    const { clock, timers, policy, source } = options;
    this.#options = options;
    this.#problem = new Problem((telling) => this.#tell(telling));
    this.#end = new CrlEnd({
      clock,
      timers,
      grace: () => policy().grace,
      onEnding: (action, end) => {
        if (this.#crl !== null) this.#tell({ action, detail: describeEnd(this.#crl, end) });
      },
    });
    this.#repetition = new Repetition({
      timers,
      turn: (signal) => this.#turn(signal),
      pause: () => (source.kind === 'file' ? filePoll : this.#pause()),
    });
  }

  /** The last good one; null: there is none yet. */
  get crl(): CrlSnapshot | null {
    return this.#crl;
  }

  /** Resolves when the source has answered once, well or badly, or need not: its last word was on disk. */
  get settled(): Promise<void> | null {
    return this.#isSettled ? null : this.#settled.promise;
  }

  state(): SourceState {
    const { anchor, source } = this.#options;
    const crl = this.#crl;
    return {
      ...{ anchor, kind: 'crl', address: source.address, certificate: null, serial: null, status: null },
      subject: crl?.issuerText ?? null,
      fetchedAt: this.#fetchedAt,
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
    if (this.#options.source.kind === 'file') return this.#repetition.now();
    await this.#recall();
    // A copy that nobody has confirmed yet counts as a failure: its source is asked within a second.
    this.#fruitless = 1;
    if (this.#crl === null) this.#repetition.now();
    else this.#repetition.schedule();
  }

  /** A file is looked at now: whoever has the configuration read again may have replaced it. */
  async look(): Promise<void> {
    this.#end.look();
    if (this.#options.source.kind === 'file') await this.#repetition.now();
  }

  /** The policy has another pause than before. */
  reschedule(): void {
    this.#repetition.schedule();
  }

  /** The anchor's certificates have changed: what they no longer sign goes, what was refused is brought again. */
  async reissue(): Promise<void> {
    const { certificates, source } = this.#options;
    const signer = this.#crl?.signer.sha256;
    const holds = certificates().some(({ sha256 }) => sha256 === signer);
    if (holds && this.#problem.detail === null) return;
    await this.#repetition.interrupt();
    this.#isAnew = true;
    if (!holds) {
      this.#crl = null;
      this.#end.watch(null);
      await this.#recall();
      this.#options.onChange();
    }
    const turn = this.#repetition.now();
    if (source.kind === 'file') await turn;
  }

  /** `forget`: nobody wants this address any more. */
  async end({ forget }: { readonly forget: boolean }): Promise<void> {
    this.#ended = true;
    this.#end.clear();
    this.#settle();
    await this.#repetition.end();
    if (forget) await this.#options.source.forget();
  }

  async #recall(): Promise<void> {
    const stored = await this.#options.source.recall();
    if (stored === null || this.#ended) return;
    const answer = await this.#read(stored.file);
    if (answer === null) return;
    if (!answer.ok) {
      this.#tell({ action: 'crl_refused', detail: `from the cache: ${answer.detail}` });
      return;
    }
    this.#use(answer.crl, { action: 'crl_from_cache', at: stored.fetchedAt });
  }

  async #turn(signal: AbortSignal): Promise<void> {
    const brought = await this.#bring(signal);
    if (signal.aborted) return;
    if (brought?.status === 'delivered') await this.#judge(brought, signal);
    else if (brought?.status === 'confirmed') this.#confirm();
    this.#countTurn();
    this.#settle();
  }

  async #bring(signal: AbortSignal): Promise<Brought | null> {
    const { source } = this.#options;
    try {
      return await source.bring({ fresh: this.#crl === null || this.#isAnew, signal });
    } catch (cause) {
      if (!signal.aborted) this.#fail('crl_fetch_failed', reasonOf(cause, source.address));
      return null;
    }
  }

  async #judge(delivery: Delivery, signal: AbortSignal): Promise<void> {
    const { policy, clock } = this.#options;
    const answer = await this.#read(delivery.source);
    if (answer === null || signal.aborted) return delivery.discard();
    this.#isAnew = false;
    const last = this.#crl;
    const objection = answer.ok
      ? objectionToCrl(answer.crl, { last, now: clock(), grace: policy().grace })
      : answer.detail;
    if (!answer.ok || objection !== null) {
      this.#fail('crl_refused', objection ?? 'refused');
      return delivery.discard();
    }
    if (answer.crl.sha256 === last?.sha256) this.#confirm();
    else {
      this.#problem.ends();
      this.#use(answer.crl, { action: 'crl_fetched', at: clock() });
    }
    this.#settle();
    await delivery.keep();
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

  #use(crl: CrlSnapshot, { action, at }: { action: 'crl_fetched' | 'crl_from_cache'; at: number }): void {
    this.#crl = this.#options.shared(crl);
    this.#fetchedAt = at;
    this.#tell({ action, detail: describeCrl(crl) });
    this.#end.watch(crlEnd(crl));
    this.#settle();
    this.#options.onChange();
  }

  #confirm(): void {
    this.#fetchedAt = this.#options.clock();
    if (this.#problem.ends()) this.#tell({ action: 'crl_confirmed' });
  }

  #fail(action: 'crl_fetch_failed' | 'crl_refused', detail: string): void {
    this.#problem.occurs([{ action, detail }]);
  }

  /** A source that goes on serving a CRL that has ended is asked more and more slowly, like one that fails. */
  #countTurn(): void {
    const end = this.#crl?.nextUpdate ?? null;
    const holds = end === null || this.#options.clock() < end;
    this.#fruitless = holds && this.#problem.detail === null ? 0 : this.#fruitless + 1;
  }

  #pause(): number {
    const { policy, clock, random } = this.#options;
    return crlPause({
      failures: this.#fruitless,
      refresh: policy().refresh,
      end: this.#crl?.nextUpdate ?? null,
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
