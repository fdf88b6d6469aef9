/** Revocation of one trust anchor: tracks its leaves, keeps its sources up to date and publishes what is known. */
import type { Certificate } from '../pki/certificate.ts';
import { AnchorFeeds } from './anchor-feeds.ts';
import { CoverageNotices, uncheckedAmong } from './coverage-notices.ts';
import type { CrlParser } from './crl/parser.ts';
import type { SourceState } from './event.ts';
import type { FeedContext } from './feed-context.ts';
import { checkedCas } from './ocsp/targets.ts';
import { isSameMaterial, type RevocationAnchor, type RevocationMaterial } from './state.ts';
import { type TrackedLeaf, TrackedLeaves } from './tracked-leaves.ts';

interface AnchorRevocationOptions
  extends Pick<FeedContext, 'report' | 'cache' | 'clock' | 'timers' | 'random'> {
  readonly anchor: RevocationAnchor;
  readonly folders: { readonly crl: string; readonly ocsp: string; readonly leaves: string };
  readonly parser: CrlParser;
  /** Milliseconds for one fetch. */
  readonly timeouts: { readonly crl: number; readonly ocsp: number };
  /** `material` is a new object. */
  readonly onMaterial: () => void;
}

/** Maximum number of tracked leaves; a leaf above it is dropped, and its next connection is a first contact again. */
const MAX_LEAVES = 1000;

export class AnchorRevocation {
  readonly #options: AnchorRevocationOptions;
  readonly #leaves: TrackedLeaves;
  readonly #feeds: AnchorFeeds;
  readonly #notices: CoverageNotices;
  #anchor: RevocationAnchor;
  #material: RevocationMaterial;
  /** Nothing is published while an update is incomplete. */
  #isUpdating = false;
  #ended = false;

  constructor(options: AnchorRevocationOptions) {
    const { anchor, folders, parser, timeouts, report, cache, clock, timers, random } = options;
    this.#options = options;
    this.#anchor = anchor;
    const nothing = { crls: [], revokeOnly: [], crlSources: [], ocsp: [], leaves: [] };
    this.#material = { policy: anchor.policy, ...nothing };
    const context: FeedContext = {
      anchor: anchor.name,
      policy: () => this.#anchor.policy,
      certificates: () => this.#anchor.certificates,
      tlsCa: () => this.#anchor.tlsCa,
      onChange: () => this.#publish(),
      ...{ report, cache, clock, timers, random },
    };
    this.#notices = new CoverageNotices(report);
    this.#leaves = new TrackedLeaves({
      ...{ ...context, folder: folders.leaves, ocspFolder: folders.ocsp, limit: MAX_LEAVES },
    });
    this.#feeds = new AnchorFeeds({
      ...{ context, folders, parser, timeouts, onCrlChange: () => this.#arrangeAndPublish() },
    });
  }

  get material(): RevocationMaterial {
    return this.#material;
  }

  sources(): SourceState[] {
    return this.#feeds.sources();
  }

  /** Resolves when the copies on disk have been read, before anything is fetched. */
  async start(): Promise<void> {
    this.#isUpdating = true;
    await this.#leaves.restore();
    this.#arrange();
    for (const leaf of this.#leaves) leaf.answered = this.#firstAnswersAbout(leaf);
    await this.#completeUpdate();
  }

  /** Takes over changed certificates and a changed policy of the same anchor, and reads its CRL files again. */
  async update(anchor: RevocationAnchor): Promise<void> {
    const before = this.#anchor;
    this.#isUpdating = true;
    this.#anchor = anchor;
    if (!areSame(before.certificates, anchor.certificates)) {
      this.#leaves.certificatesChanged();
      await this.#feeds.certificatesChanged();
    }
    const known = this.#feeds.all();
    this.#arrange();
    if (before.policy.refresh !== anchor.policy.refresh) for (const feed of known) feed.reschedule();
    await this.#feeds.recheck();
    await this.#completeUpdate();
  }

  /** Tracks a leaf (DER). Resolves when each of its sources has answered once; at once if they have. */
  async contact(der: Uint8Array): Promise<void> {
    const known = this.#leaves.find(der);
    if (known !== null) return known.answered;
    const leaf = this.#leaves.add(der);
    if (leaf === null) return;
    this.#feeds.run(this.#leaves.save(leaf).then(() => this.#leaves.trim()));
    this.#arrange();
    leaf.answered = this.#firstAnswersAbout(leaf);
    return leaf.answered;
  }

  /** Resolves when each source of more than single leaves has answered once, successfully or not. */
  firstAnswers(): Promise<void> {
    return this.#feeds.firstAnswers(() => this.#cas(), null);
  }

  /** Fetches from every source now. */
  async refresh(): Promise<void> {
    await Promise.all(this.#feeds.all().map((feed) => feed.refresh()));
  }

  /** The clock was set, or the machine was suspended. */
  wake(): void {
    for (const feed of this.#feeds.all()) feed.wake();
    this.#arrangeAndPublish();
  }

  /** Drops the stored data of this address, or of all (null), and fetches it again; false: no such address. */
  async forget(address: string | null): Promise<boolean> {
    const feeds = this.#feeds.all().filter((feed) => address === null || feed.addresses.includes(address));
    await Promise.all(feeds.map((feed) => feed.forget()));
    return feeds.length > 0;
  }

  /** Drops leaves and CAs that have expired. */
  async sweep(): Promise<void> {
    await this.#leaves.trim();
    this.#arrangeAndPublish();
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#feeds.end();
  }

  #arrangeAndPublish(): void {
    this.#arrange();
    this.#publish();
  }

  async #completeUpdate(): Promise<void> {
    await this.#feeds.whenStarted();
    this.#isUpdating = false;
    this.#publish();
  }

  #arrange(): void {
    if (this.#ended) return;
    const cas = this.#cas();
    const skipped = this.#feeds.arrange(cas, this.#leaves);
    const leaves = [...this.#leaves].map(({ certificate }) => certificate);
    this.#notices.update(skipped, uncheckedAmong([...cas, ...leaves], this.#anchor.policy));
  }

  #cas(): readonly Certificate[] {
    return checkedCas(this.#anchor, this.#options.clock());
  }

  async #firstAnswersAbout(leaf: TrackedLeaf): Promise<void> {
    await this.#feeds.firstAnswers(() => this.#cas(), leaf.certificate);
    leaf.isAnswered = true;
    this.#publish();
  }

  #publish(): void {
    if (this.#isUpdating || this.#ended) return;
    const next: RevocationMaterial = {
      policy: this.#anchor.policy,
      ...this.#feeds.material(),
      leaves: [...this.#leaves].flatMap((leaf) => (leaf.isAnswered ? leaf.certificate.tbsSha256 : [])),
    };
    if (isSameMaterial(next, this.#material)) return;
    this.#material = next;
    this.#options.onMaterial();
  }
}

function areSame(some: readonly Certificate[], others: readonly Certificate[]): boolean {
  return some.map(({ sha256 }) => sha256).join() === others.map(({ sha256 }) => sha256).join();
}
