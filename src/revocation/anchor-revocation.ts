/** Looks after one anchor: which sources it needs, and what they add up to. */
import type { Certificate } from '../pki/certificate.ts';
import { type AddressPlan, planAddresses } from './addresses.ts';
import { Notices, uncheckedAmong } from './coverage-notices.ts';
import { CrlCheck } from './crl/check.ts';
import type { CrlFeed } from './crl/feed.ts';
import { CrlFeeds } from './crl/feeds.ts';
import type { CrlParser } from './crl/parser.ts';
import type { SourceState } from './event.ts';
import type { FeedContext } from './feed-context.ts';
import type { OcspFeed } from './ocsp/feed.ts';
import { OcspFeeds } from './ocsp/feeds.ts';
import { checkedCas, ocspSubjects } from './ocsp/targets.ts';
import { isSameMaterial, type RevocationMaterial } from './state.ts';
import type { RevocationSubject } from './subject.ts';
import { type Leaf, Leaves } from './tracked-leaves.ts';

export interface AnchorWatchOptions
  extends Pick<FeedContext, 'tell' | 'cache' | 'clock' | 'timers' | 'random'> {
  readonly subject: RevocationSubject;
  readonly folders: { readonly crl: string; readonly ocsp: string; readonly leaves: string };
  readonly parser: CrlParser;
  /** Milliseconds for one fetch. */
  readonly timeouts: { readonly crl: number; readonly ocsp: number };
  /** The material is another one than before. */
  readonly onMaterial: () => void;
}

/** A leaf that was dropped for them is met for the first time again. */
const MAX_LEAVES = 1000;

export class AnchorWatch {
  readonly #options: AnchorWatchOptions;
  readonly #leaves: Leaves;
  readonly #crls: CrlFeeds;
  readonly #ocsp: OcspFeeds;
  readonly #notices: Notices;
  /** Feeds that begin or end. */
  readonly #running = new Set<Promise<void>>();
  #subject: RevocationSubject;
  #plan: AddressPlan = { wanted: [], skipped: [], admitted: new Set() };
  #material: RevocationMaterial;
  /** While the anchor is taken over, half of what is known is no material. */
  #isUpdating = false;
  #ended = false;

  constructor(options: AnchorWatchOptions) {
    const { subject, folders, parser, timeouts, tell, cache, clock, timers, random } = options;
    this.#options = options;
    this.#subject = subject;
    this.#material = { policy: subject.policy, crls: [], aside: [], origins: [], ocsp: [], leaves: [] };
    const context: FeedContext = {
      anchor: subject.name,
      policy: () => this.#subject.policy,
      certificates: () => this.#subject.certificates,
      tlsCa: () => this.#subject.tlsCa,
      onChange: () => this.#publish(),
      ...{ tell, cache, clock, timers, random },
    };
    this.#notices = new Notices(tell);
    const run = (work: Promise<void>) => this.#run(work);
    this.#leaves = new Leaves({
      ...{ ...context, folder: folders.leaves, ocspFolder: folders.ocsp, limit: MAX_LEAVES },
    });
    this.#crls = new CrlFeeds({
      context: {
        ...context,
        onChange: () => this.#changed(),
        // What is wrong with a source is part of what a denial says.
        tell: (telling) => {
          tell(telling);
          this.#publish();
        },
      },
      parser,
      folder: folders.crl,
      timeout: timeouts.crl,
      run,
    });
    this.#ocsp = new OcspFeeds({
      ...{ context, folder: folders.ocsp, timeout: timeouts.ocsp, run },
      isRevoked: (certificate, issuer) => {
        const { certificates, policy } = this.#subject;
        const { grace } = policy;
        const known = { certificates, crls: this.#crls.inUse(), aside: this.#crls.aside(), grace };
        return new CrlCheck(known).status(certificate, { issuer, now: clock() }).status === 'revoked';
      },
    });
  }

  get material(): RevocationMaterial {
    return this.#material;
  }

  sources(): SourceState[] {
    return this.#feeds().map((feed) => feed.state());
  }

  /** Resolves when what is on disk has been read, before anything was fetched. */
  async start(): Promise<void> {
    this.#isUpdating = true;
    await this.#leaves.recall();
    this.#arrange();
    for (const leaf of this.#leaves) leaf.answered = this.#awaitAnswers(leaf);
    await this.#settleDown();
  }

  /** The same anchor with other certificates or another policy, or only to look at its files again. */
  async update(subject: RevocationSubject): Promise<void> {
    const before = this.#subject;
    this.#isUpdating = true;
    this.#subject = subject;
    if (!haveSame(before.certificates, subject.certificates)) {
      this.#leaves.reissue();
      await Promise.all(this.#crls.all().map((feed) => feed.reissue()));
    }
    const known = this.#feeds();
    this.#arrange();
    if (before.policy.refresh !== subject.policy.refresh) for (const feed of known) feed.reschedule();
    await Promise.all(this.#crls.all().map((feed) => feed.look()));
    await this.#settleDown();
  }

  /** Resolves when each source of the leaf has answered once; at once where they have. */
  async contact(der: Uint8Array): Promise<void> {
    const known = this.#leaves.find(der);
    if (known !== null) return known.answered;
    const leaf = this.#leaves.add(der);
    if (leaf === null) return;
    this.#run(this.#leaves.keep(leaf).then(() => this.#leaves.trim()));
    this.#arrange();
    leaf.answered = this.#awaitAnswers(leaf);
    return leaf.answered;
  }

  /** Resolves when each source that speaks of more than single leaves has answered once, well or badly. */
  settled(): Promise<void> {
    return this.#answersOf(() => this.#feedsOf(null));
  }

  /** Asks every source now. */
  async refresh(): Promise<void> {
    await Promise.all(this.#feeds().map((feed) => feed.refresh()));
  }

  /** The clock was set, or the machine slept. */
  wake(): void {
    for (const feed of this.#feeds()) feed.wake();
    this.#changed();
  }

  /** Drops what is kept of this address, or of all, and asks anew; whether there is such an address. */
  async forget(address: string | null): Promise<boolean> {
    const feeds = this.#feeds().filter((feed) => address === null || feed.addresses.includes(address));
    await Promise.all(feeds.map((feed) => feed.forget()));
    return feeds.length > 0;
  }

  /** Drops what time has made superfluous. */
  async sweep(): Promise<void> {
    await this.#leaves.trim();
    this.#changed();
  }

  async end(): Promise<void> {
    this.#ended = true;
    await Promise.all(this.#feeds().map((feed) => feed.end({ forget: false })));
    await Promise.all(this.#running);
  }

  #feeds(): (CrlFeed | OcspFeed)[] {
    return [...this.#crls.all(), ...this.#ocsp.all()];
  }

  #run(work: Promise<void>): void {
    this.#running.add(work);
    work.finally(() => this.#running.delete(work));
  }

  /** A CRL that has come may name delta CRLs. */
  #changed(): void {
    this.#arrange();
    this.#publish();
  }

  async #settleDown(): Promise<void> {
    // What was read may name further addresses, whose copies are on disk as well.
    while (this.#running.size > 0) await Promise.all(this.#running);
    this.#isUpdating = false;
    this.#publish();
  }

  /** Begins and ends feeds, so that they are those that policy, certificates, leaves and CRLs call for. */
  #arrange(): void {
    if (this.#ended) return;
    const { policy } = this.#subject;
    const cas = this.#cas();
    const leaves = [...this.#leaves].map(({ certificate }) => certificate);
    this.#plan = planAddresses({
      ...{ policy, cas, leaves, crls: this.#crls.inUse(), admitted: this.#plan.admitted },
    });
    const { wanted } = this.#plan;
    this.#crls.arrange(new Set(wanted.filter(({ kind }) => kind === 'crl').map(({ address }) => address)));
    const { certificates } = this.#subject;
    this.#ocsp.arrange(ocspSubjects({ wanted, cas, leaves: this.#leaves, certificates }));
    this.#notices.tell(this.#plan.skipped, uncheckedAmong([...cas, ...leaves], policy));
  }

  #cas(): readonly Certificate[] {
    return checkedCas(this.#subject, this.#options.clock());
  }

  async #awaitAnswers(leaf: Leaf): Promise<void> {
    await this.#answersOf(() => this.#feedsOf(leaf.certificate));
    leaf.isAnswered = true;
    this.#publish();
  }

  async #answersOf(feeds: () => readonly (CrlFeed | OcspFeed)[]): Promise<void> {
    // A CRL that answers may name a delta CRL, which has to answer as well.
    for (;;) {
      const waiting = feeds().flatMap((feed) => feed.settled ?? []);
      if (waiting.length === 0) return;
      await Promise.all(waiting);
    }
  }

  /** Feeds of the CAs, of what is configured, and of what the leaf itself names. */
  #feedsOf(leaf: Certificate | null): (CrlFeed | OcspFeed)[] {
    const concerned = new Set([null, leaf?.tbsSha256, ...this.#cas().map((ca) => ca.tbsSha256)]);
    const feeds = this.#plan.wanted
      .filter(({ certificate }) => concerned.has(certificate))
      .map(({ kind, address, certificate }) =>
        kind === 'crl' ? this.#crls.get(address) : this.#ocsp.get(certificate ?? ''),
      );
    return feeds.filter((feed) => feed !== undefined);
  }

  #publish(): void {
    if (this.#isUpdating || this.#ended) return;
    const next: RevocationMaterial = {
      policy: this.#subject.policy,
      crls: this.#crls.inUse(),
      origins: this.#crls.origins(),
      aside: this.#crls.aside(),
      ocsp: this.#ocsp.facts(),
      leaves: [...this.#leaves].flatMap((leaf) => (leaf.isAnswered ? leaf.certificate.tbsSha256 : [])),
    };
    if (isSameMaterial(next, this.#material)) return;
    this.#material = next;
    this.#options.onMaterial();
  }
}

function haveSame(some: readonly Certificate[], others: readonly Certificate[]): boolean {
  return some.map(({ sha256 }) => sha256).join() === others.map(({ sha256 }) => sha256).join();
}
