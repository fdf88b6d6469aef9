/** The CRL feeds of one anchor: one per address that is wanted. */

import type { FeedContext } from '../feed-context.ts';
import type { CrlOrigin } from '../state.ts';
import { type CrlSnapshot, crlEnd } from './crl.ts';
import { CrlFeed } from './feed.ts';
import type { CrlParser } from './parser.ts';
import { openCrlSource } from './source.ts';

export interface CrlFeedsOptions {
  readonly context: FeedContext;
  readonly parser: CrlParser;
  /** Where copies of what came from URLs lie. */
  readonly folder: string;
  /** Milliseconds for one fetch. */
  readonly timeout: number;
  /** Work that has begun, which never rejects. */
  readonly run: (work: Promise<void>) => void;
}

export class CrlFeeds {
  readonly #options: CrlFeedsOptions;
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

  /** How each address stands, in one order whatever the order they came in. */
  origins(): CrlOrigin[] {
    return this.all()
      .map((feed) => {
        const { address, problem } = feed.state();
        const { crl } = feed;
        // Of a CRL that holds nothing is said: while its server is away, every failure would be a new snapshot.
        const holds = crl !== null && this.#options.context.clock() <= crlEnd(crl);
        return { address, crl: crl?.sha256 ?? null, problem: holds ? null : problem };
      })
      .sort((one, other) => (one.address < other.address ? -1 : 1));
  }

  /** Every CRL in use, once. */
  inUse(): CrlSnapshot[] {
    return [...new Set(this.all().flatMap(({ crl }) => crl ?? []))];
  }

  /** The sound ones beside those in use, once, of which only what they revoke counts. */
  aside(): CrlSnapshot[] {
    const inUse = new Set(this.inUse().map(({ sha256 }) => sha256));
    const aside = this.all().flatMap((feed) => feed.aside);
    return [...new Set(aside)].filter(({ sha256 }) => !inUse.has(sha256));
  }

  /** Begins and ends feeds until they are those of these addresses. */
  arrange(wanted: ReadonlySet<string>): void {
    const { run } = this.#options;
    for (const [address, feed] of this.#feeds) {
      if (wanted.has(address)) continue;
      this.#feeds.delete(address);
      run(feed.end({ forget: true }));
    }
    for (const address of wanted) {
      if (this.#feeds.has(address)) continue;
      const feed = this.#open(address);
      this.#feeds.set(address, feed);
      run(feed.start());
    }
  }

  #open(address: string): CrlFeed {
    const { context, parser, folder, timeout } = this.#options;
    const source = openCrlSource({ ...context, address, folder, timeout });
    return new CrlFeed({ ...context, source, parser, shared: (crl) => this.#shared(crl) });
  }

  /** A distribution point may have several URLs for one CRL: its table is there once. */
  #shared(crl: CrlSnapshot): CrlSnapshot {
    const isIt = (other: CrlSnapshot) =>
      other.sha256 === crl.sha256 && other.signer.sha256 === crl.signer.sha256;
    return [...this.inUse(), ...this.aside()].find(isIt) ?? crl;
  }
}
