/** The CRL feeds of one trust anchor: one per address. */
import type { FeedContext } from '../feed-context.ts';
import type { CrlSourceStatus } from '../state.ts';
import { type CrlSnapshot, crlEnd } from './crl.ts';
import { CrlFeed } from './feed.ts';
import type { CrlParser } from './parser.ts';
import { openCrlSource } from './source.ts';

interface CrlFeedsOptions {
  readonly context: FeedContext;
  readonly parser: CrlParser;
  /** Folder of the copies of what was fetched from URLs. */
  readonly folder: string;
  /** Milliseconds for one fetch. */
  readonly timeout: number;
  /** Called with each start and end of a feed, which never rejects. */
  readonly run: (work: Promise<void>) => void;
}

export class CrlFeeds {
  readonly #options: CrlFeedsOptions;
  /** By address. */
  readonly #feeds = new Map<string, CrlFeed>();

  constructor(options: CrlFeedsOptions) {
    this.#options = options;
  }

  all(): CrlFeed[] {
    return [...this.#feeds.values()];
  }

  get(address: string): CrlFeed | undefined {
    return this.#feeds.get(address);
  }

  /** The state of each address, sorted by address. */
  sources(): CrlSourceStatus[] {
    return this.all()
      .map((feed) => {
        const { address, problem } = feed.state();
        const { crl } = feed;
        // No failures while the CRL is valid: every failure would make a new policy snapshot.
        const isValid = crl !== null && this.#options.context.clock() <= crlEnd(crl);
        return { address, crl: crl?.sha256 ?? null, problem: isValid ? null : problem };
      })
      .sort((one, other) => (one.address < other.address ? -1 : 1));
  }

  /** The CRLs in use, without duplicates. */
  inUse(): CrlSnapshot[] {
    return [...new Set(this.all().flatMap(({ crl }) => crl ?? []))];
  }

  /** The CRLs of which only the revocations count, without duplicates and without those in use. */
  revokeOnly(): CrlSnapshot[] {
    const inUse = new Set(this.inUse().map(({ sha256 }) => sha256));
    const others = this.all().flatMap((feed) => feed.revokeOnly);
    return [...new Set(others)].filter(({ sha256 }) => !inUse.has(sha256));
  }

  /** Starts and ends feeds so that there is one per address. */
  arrange(addresses: ReadonlySet<string>): void {
    const { run } = this.#options;
    for (const [address, feed] of this.#feeds) {
      if (addresses.has(address)) continue;
      this.#feeds.delete(address);
      run(feed.end({ forget: true }));
    }
    for (const address of addresses) {
      if (this.#feeds.has(address)) continue;
      const feed = this.#open(address);
      this.#feeds.set(address, feed);
      run(feed.start());
    }
  }

  #open(address: string): CrlFeed {
    const { context, parser, folder, timeout } = this.#options;
    const source = openCrlSource({ ...context, address, folder, timeout });
    return new CrlFeed({ ...context, source, parser, deduplicate: (crl) => this.#deduplicate(crl) });
  }

  /** A distribution point may have several URLs for one CRL: its table is kept once. */
  #deduplicate(crl: CrlSnapshot): CrlSnapshot {
    const isSame = (other: CrlSnapshot) =>
      other.sha256 === crl.sha256 && other.signer.spkiPin === crl.signer.spkiPin;
    return [...this.inUse(), ...this.revokeOnly()].find(isSame) ?? crl;
  }
}
