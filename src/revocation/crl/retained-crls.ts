/** The CRLs kept from one address: the one in use, and verified others of which only the revocations count. */
import type { RevocationNotice } from '../event.ts';
import type { FeedContext } from '../feed-context.ts';
import type { SourceFailure } from '../source-failure.ts';
import { type CrlSnapshot, crlEnd } from './crl.ts';
import { crlId, crlNumber, describeCrl, describeExpiry } from './describe.ts';
import { CrlExpiry } from './expiry-report.ts';
import type { FetchedCrl, StoredCrls } from './source.ts';
import { checkCrlSuccession, supersedes } from './succession.ts';

export interface RetainedCrlsOptions extends Pick<FeedContext, 'policy' | 'clock' | 'timers' | 'onChange'> {
  readonly report: (notice: RevocationNotice) => void;
  readonly failure: SourceFailure;
  /** The same CRL from another address, if there is one, so that its table is in memory once. */
  readonly deduplicate: (crl: CrlSnapshot) => CrlSnapshot;
  /** Another CRL is in use that can show that certificates are good. */
  readonly onUse: () => void;
  /** The copy of the previous CRL on disk is no longer needed. */
  readonly dropPrevious: () => Promise<void>;
  /** The CRL in use has expired, or its grace period is over. */
  readonly onExpiry: () => void;
}

/** Maximum number of displaced CRLs; the newest are kept. */
const MAX_DISPLACED = 3;

export class RetainedCrls {
  readonly #options: RetainedCrlsOptions;
  readonly #expiry: CrlExpiry;
  #inUse: CrlSnapshot | null = null;
  /** Fetched last and verified, but it may not replace the CRL in use, or not yet. */
  #pending: { readonly crl: CrlSnapshot; readonly fetched: FetchedCrl } | null = null;
  /** In use before the CA restarted its CRL numbers: what it revokes stays revoked. */
  #previous: CrlSnapshot | null = null;
  /** Pending or in use before, and replaced by a CRL that does not supersede it: a replayed old CRL cancels nothing. */
  #displaced: readonly CrlSnapshot[] = [];
  #fetchedAt: number | null = null;

  constructor(options: RetainedCrlsOptions) {
    const { clock, timers, policy, report, onExpiry } = options;
    this.#options = options;
    this.#expiry = new CrlExpiry({
      ...{ clock, timers, grace: () => policy().grace },
      onExpiry: (action, end) => {
        const crl = this.#inUse;
        if (crl === null) return;
        report({ action, detail: describeExpiry(crl, { action, end }) });
        if (crl.nextUpdate !== null) onExpiry();
      },
    });
  }

  /** The last good CRL; null: none yet. */
  get inUse(): CrlSnapshot | null {
    return this.#inUse;
  }

  /** The CRLs that are not in use: a certificate that one of them lists is revoked all the same. */
  get revokeOnly(): CrlSnapshot[] {
    return [this.#pending?.crl, this.#previous, ...this.#displaced].filter((crl) => crl != null);
  }

  /** When the source last returned or confirmed the CRL in use, ms since the epoch. */
  get fetchedAt(): number | null {
    return this.#fetchedAt;
  }

  /** Whether there is a CRL in use that has not expired. */
  get isCurrent(): boolean {
    const end = this.#inUse === null ? 0 : this.#inUse.nextUpdate;
    return end === null || this.#options.clock() < end;
  }

  /** Takes over the CRLs on disk, whatever their age. `read` returns null for a copy that cannot be used. */
  async restore(
    { inUse, previous, pending }: StoredCrls,
    read: (copy: Uint8Array | string) => Promise<CrlSnapshot | null>,
  ): Promise<void> {
    const pendingCrl = pending === null ? null : await read(pending.source);
    const previousCrl = previous === null ? null : await read(previous);
    const last = inUse === null ? null : await read(inUse.file);
    if (previousCrl !== null) this.#previous = previousCrl;
    if (inUse !== null && last !== null) this.#use(last, { action: 'crl_from_cache', at: inUse.fetchedAt });
    if (pending === null || pendingCrl === null) return;
    await this.#defer(pendingCrl, pending);
    await this.retryPending();
  }

  /** Uses a verified CRL if it may replace the one in use; otherwise keeps it as pending. */
  async judge(crl: CrlSnapshot, fetched: FetchedCrl): Promise<void> {
    const { clock, policy, failure } = this.#options;
    const succession = checkCrlSuccession(crl, { last: this.#inUse, now: clock(), grace: policy().grace });
    if (succession.accepted) return this.#accept(crl, { fetched, warning: succession.warning });
    const which = `CRL ${crlId(crl.sha256)}, ${crlNumber(crl.number)}`;
    const detail = `${succession.objection} (${which}); the certificates that it lists count as revoked`;
    failure.record([{ action: 'crl_refused', detail }]);
    return this.#defer(crl, fetched);
  }

  async #accept(
    crl: CrlSnapshot,
    { fetched, warning }: { readonly fetched: FetchedCrl; readonly warning: string | null },
  ): Promise<void> {
    const { clock, failure, report } = this.#options;
    const pending = this.#pending;
    // The revocations of a CRL are dropped only for a CRL that supersedes it.
    const dropsPending =
      pending !== null && (pending.fetched === fetched || supersedes(crl, pending.crl, clock()));
    if (dropsPending) this.#pending = null;
    const dropsPrevious = this.#previous !== null && supersedes(crl, this.#previous, clock());
    if (warning !== null) {
      this.#displace(this.#previous, this.#inUse);
      this.#previous = this.#inUse;
    } else if (dropsPrevious) this.#previous = null;
    this.#displaced = this.#displaced.filter((each) => !supersedes(crl, each, clock()));
    if (crl.sha256 === this.#inUse?.sha256) this.confirm();
    else {
      failure.clear();
      this.#use(crl, { action: 'crl_fetched', at: clock() });
    }
    if (warning !== null) report({ action: 'crl_restarted', detail: warning });
    if (dropsPending && pending.fetched !== fetched) await pending.fetched.discard();
    if (dropsPrevious && warning === null) await this.#options.dropPrevious();
    await fetched.accept({ keepPrevious: warning !== null });
  }

  /** Uses the pending CRL if it may replace the one in use by now; returns whether it did. */
  async retryPending(): Promise<boolean> {
    const { clock, policy } = this.#options;
    const pending = this.#pending;
    if (pending === null) return false;
    const { crl, fetched } = pending;
    const { accepted } = checkCrlSuccession(crl, { last: this.#inUse, now: clock(), grace: policy().grace });
    if (accepted) await this.judge(crl, fetched);
    return accepted;
  }

  async #defer(crl: CrlSnapshot, fetched: FetchedCrl): Promise<void> {
    const isNew = crl.sha256 !== this.#pending?.crl.sha256;
    this.#displace(this.#pending?.crl ?? null, crl);
    this.#pending = {
      crl: isNew ? this.#options.deduplicate(crl) : (this.#pending?.crl ?? crl),
      fetched,
    };
    if (isNew) this.#options.onChange();
    await fetched.defer();
  }

  /** Moves `crl`, which `next` replaces, to the displaced CRLs; drops those that `next` supersedes. */
  #displace(crl: CrlSnapshot | null, next: CrlSnapshot | null): void {
    const now = this.#options.clock();
    const others = [crl, ...this.#displaced].filter((each) => each !== null && each.sha256 !== next?.sha256);
    const kept = (others as CrlSnapshot[]).filter((each) => next === null || !supersedes(next, each, now));
    this.#displaced = kept
      .toSorted((one, other) => other.thisUpdate - one.thisUpdate)
      .slice(0, MAX_DISPLACED);
  }

  /** The source still has the CRL in use. */
  confirm(): void {
    const { clock, failure, report } = this.#options;
    this.#fetchedAt = clock();
    if (failure.clear()) report({ action: 'crl_confirmed' });
  }

  /** Checks the expiry now; needed when the clock or the grace period has changed. */
  checkExpiry(): void {
    this.#expiry.check();
  }

  /** Drops the CRLs whose signer the anchor does not have any more. */
  dropUnsigned(isSigned: (crl: CrlSnapshot) => boolean): void {
    if (this.#inUse !== null && !isSigned(this.#inUse)) this.#useNone();
    if (this.#pending !== null && !isSigned(this.#pending.crl)) this.#pending = null;
    if (this.#previous !== null && !isSigned(this.#previous)) this.#previous = null;
    this.#displaced = this.#displaced.filter(isSigned);
  }

  /** Drops every CRL. */
  clear(): void {
    this.#useNone();
    this.#pending = null;
    this.#previous = null;
    this.#displaced = [];
  }

  /** Stops the expiry timer. */
  stop(): void {
    this.#expiry.stop();
  }

  #useNone(): void {
    this.#inUse = null;
    this.#fetchedAt = null;
    this.#expiry.track(null);
  }

  #use(crl: CrlSnapshot, { action, at }: { action: 'crl_fetched' | 'crl_from_cache'; at: number }): void {
    this.#inUse = this.#options.deduplicate(crl);
    this.#displaced = this.#displaced.filter(({ sha256 }) => sha256 !== crl.sha256);
    this.#fetchedAt = at;
    this.#options.report({ action, detail: describeCrl(crl) });
    this.#expiry.track(crlEnd(crl));
    // A CRL past its grace period shows no certificate to be good: what waits for a first answer waits on.
    if (this.#options.clock() <= crlEnd(crl) + this.#options.policy().grace) this.#options.onUse();
    this.#options.onChange();
  }
}
