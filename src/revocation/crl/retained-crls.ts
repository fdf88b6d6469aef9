/** What is known from one address: the CRL in use, and beside it sound ones of which only what they revoke counts. */

import { crlId, crlNumber, describeCrl, describeEnd } from '../describe.ts';
import type { FeedContext } from '../feed-context.ts';
import type { Problem, Telling } from '../source-failure.ts';
import { type CrlSnapshot, crlEnd } from './crl.ts';
import { CrlEnd } from './expiry.ts';
import type { Delivery, Recalled } from './source.ts';
import { overtakes, succeedCrl } from './succession.ts';

export interface CrlHoldingOptions extends Pick<FeedContext, 'policy' | 'clock' | 'timers' | 'onChange'> {
  readonly tell: (telling: Telling) => void;
  readonly problem: Problem;
  /** The same CRL where another address has brought it before, so that its table is there once. */
  readonly shared: (crl: CrlSnapshot) => CrlSnapshot;
  /** Another one is in use, and can vouch for somebody. */
  readonly onUse: () => void;
  /** What was in use before counts no more: its copy can go. */
  readonly dropFormer: () => Promise<void>;
  /** The end of the CRL in use, or of its grace, has come. */
  readonly onEnd: () => void;
}

/** How many CRLs are remembered that another one beside the CRL in use has pushed out: the youngest. */
const MOST_EARLIER = 3;

export class CrlHolding {
  readonly #options: CrlHoldingOptions;
  readonly #end: CrlEnd;
  #inUse: CrlSnapshot | null = null;
  #aside: { readonly crl: CrlSnapshot; readonly delivery: Delivery } | null = null;
  /** What was in use before the CA began to count anew: what it had revoked stays revoked. */
  #former: CrlSnapshot | null = null;
  /**
   * What was set aside or in use before, and another one that could not follow it has pushed out: an old list that is
   * replayed takes back nothing.
   */
  #earlier: readonly CrlSnapshot[] = [];
  #fetchedAt: number | null = null;

  constructor(options: CrlHoldingOptions) {
    const { clock, timers, policy, tell, onEnd } = options;
    this.#options = options;
    this.#end = new CrlEnd({
      ...{ clock, timers, grace: () => policy().grace },
      onEnding: (action, end) => {
        const crl = this.#inUse;
        if (crl === null) return;
        tell({ action, detail: describeEnd(crl, end) });
        if (crl.nextUpdate !== null) onEnd();
      },
    });
  }

  /** The last good one; null: there is none yet. */
  get inUse(): CrlSnapshot | null {
    return this.#inUse;
  }

  /** Sound ones that may not take its place, or not yet, or that had it before: what they revoke counts all the same. */
  get aside(): CrlSnapshot[] {
    return [this.#aside?.crl, this.#former, ...this.#earlier].filter((crl) => crl != null);
  }

  /** When the source last gave or confirmed what is in use, ms since the epoch. */
  get fetchedAt(): number | null {
    return this.#fetchedAt;
  }

  /** Whether the CRL in use has not ended; there is none: it has. */
  get holds(): boolean {
    const end = this.#inUse === null ? 0 : this.#inUse.nextUpdate;
    return end === null || this.#options.clock() < end;
  }

  /** Takes what an earlier life has left, whatever its age: nothing newer is known. `read`: null for what is of no use. */
  async recall(
    { kept, former, aside }: Recalled,
    read: (copy: Uint8Array | string) => Promise<CrlSnapshot | null>,
  ): Promise<void> {
    const beside = aside === null ? null : await read(aside.source);
    const before = former === null ? null : await read(former);
    const last = kept === null ? null : await read(kept.file);
    if (before !== null) this.#former = before;
    if (kept !== null && last !== null) this.#use(last, { action: 'crl_from_cache', at: kept.fetchedAt });
    if (aside === null || beside === null) return;
    await this.setAside(beside, aside);
    await this.reconsider();
  }

  /** Takes a sound CRL where it may take the last one's place, and sets it aside where it may not. */
  async admit(crl: CrlSnapshot, delivery: Delivery): Promise<void> {
    const { clock, policy, problem, tell } = this.#options;
    const succession = succeedCrl(crl, { last: this.#inUse, now: clock(), grace: policy().grace });
    if (!succession.takes) {
      const which = `CRL ${crlId(crl.sha256)}, ${crlNumber(crl.number)}`;
      const detail = `${succession.objection} (${which}); what it revokes counts all the same`;
      problem.occurs([{ action: 'crl_refused', detail }]);
      return this.setAside(crl, delivery);
    }
    const aside = this.#aside;
    // What a list revokes is forgotten only for one that could follow it.
    const isOver = aside !== null && (aside.delivery === delivery || overtakes(crl, aside.crl, clock()));
    if (isOver) this.#aside = null;
    const isFormerOver = this.#former !== null && overtakes(crl, this.#former, clock());
    if (succession.alarm !== null) {
      this.#pushOut(this.#former, this.#inUse);
      this.#former = this.#inUse;
    } else if (isFormerOver) this.#former = null;
    this.#earlier = this.#earlier.filter((each) => !overtakes(crl, each, clock()));
    if (crl.sha256 === this.#inUse?.sha256) this.confirm();
    else {
      problem.ends();
      this.#use(crl, { action: 'crl_fetched', at: clock() });
    }
    if (succession.alarm !== null) tell({ action: 'crl_restarted', detail: succession.alarm });
    if (isOver && aside.delivery !== delivery) await aside.delivery.discard();
    if (isFormerOver && succession.alarm === null) await this.#options.dropFormer();
    await delivery.keep({ former: succession.alarm !== null });
  }

  /** Takes what was set aside, if it may take the last one's place by now; whether it did. */
  async reconsider(): Promise<boolean> {
    const { clock, policy } = this.#options;
    const aside = this.#aside;
    if (aside === null) return false;
    const { takes } = succeedCrl(aside.crl, { last: this.#inUse, now: clock(), grace: policy().grace });
    if (takes) await this.admit(aside.crl, aside.delivery);
    return takes;
  }

  async setAside(crl: CrlSnapshot, delivery: Delivery): Promise<void> {
    const isNew = crl.sha256 !== this.#aside?.crl.sha256;
    this.#pushOut(this.#aside?.crl ?? null, crl);
    this.#aside = { crl: isNew ? this.#options.shared(crl) : (this.#aside?.crl ?? crl), delivery };
    if (isNew) this.#options.onChange();
    await delivery.setAside();
  }

  /** `crl` loses its place to `next`: what it revokes is forgotten only where `next` could follow it. */
  #pushOut(crl: CrlSnapshot | null, next: CrlSnapshot | null): void {
    const now = this.#options.clock();
    const others = [crl, ...this.#earlier].filter((each) => each !== null && each.sha256 !== next?.sha256);
    const left = (others as CrlSnapshot[]).filter((each) => next === null || !overtakes(next, each, now));
    this.#earlier = left.toSorted((one, other) => other.thisUpdate - one.thisUpdate).slice(0, MOST_EARLIER);
  }

  /** The source still has what is in use. */
  confirm(): void {
    const { clock, problem, tell } = this.#options;
    this.#fetchedAt = clock();
    if (problem.ends()) tell({ action: 'crl_confirmed' });
  }

  /** Looks at the clock now: it was set, or the grace may have changed. */
  look(): void {
    this.#end.look();
  }

  /** Those beside the one in use that these certificates have not signed count no more. */
  dropAside(isSigned: (crl: CrlSnapshot) => boolean): void {
    if (this.#aside !== null && !isSigned(this.#aside.crl)) this.#aside = null;
    if (this.#former !== null && !isSigned(this.#former)) this.#former = null;
    this.#earlier = this.#earlier.filter(isSigned);
  }

  /** Nothing is known any more. */
  drop(): void {
    this.#inUse = null;
    this.#aside = null;
    this.#former = null;
    this.#earlier = [];
    this.#fetchedAt = null;
    this.#end.watch(null);
  }

  clear(): void {
    this.#end.clear();
  }

  #use(crl: CrlSnapshot, { action, at }: { action: 'crl_fetched' | 'crl_from_cache'; at: number }): void {
    this.#inUse = this.#options.shared(crl);
    this.#fetchedAt = at;
    this.#options.tell({ action, detail: describeCrl(crl) });
    this.#end.watch(crlEnd(crl));
    // What has ended with its grace says nothing good: whoever waits for a word waits on.
    if (this.#options.clock() <= crlEnd(crl) + this.#options.policy().grace) this.#options.onUse();
    this.#options.onChange();
  }
}
