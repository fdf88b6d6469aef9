/** The OCSP feeds of one trust anchor: one per certificate that has a responder. */
import { isSameCa } from '../../pki/issued.ts';
import type { FeedContext } from '../feed-context.ts';
import type { OcspResult } from '../state.ts';
import { ConcurrencyLimit } from './concurrency-limit.ts';
import { OcspFeed } from './feed.ts';
import type { IsRevoked } from './query.ts';
import type { OcspTarget } from './targets.ts';

interface OcspFeedsOptions {
  readonly context: FeedContext;
  /** Folder of the responses on disk. */
  readonly folder: string;
  /** Milliseconds for one query. */
  readonly timeout: number;
  readonly isRevoked: IsRevoked;
  /** Called with each start and end of a feed, which never rejects. */
  readonly run: (work: Promise<void>) => void;
}

/** Maximum number of concurrent queries that no handshake waits for, so that a start does not flood the responder. */
const MAX_BACKGROUND = 8;

export class OcspFeeds {
  readonly #options: OcspFeedsOptions;
  /** By `tbsSha256` of the certificate. */
  readonly #feeds = new Map<string, OcspFeed>();
  readonly #background = new ConcurrencyLimit(MAX_BACKGROUND);

  constructor(options: OcspFeedsOptions) {
    this.#options = options;
  }

  all(): OcspFeed[] {
    return [...this.#feeds.values()];
  }

  get(tbsSha256: string): OcspFeed | undefined {
    return this.#feeds.get(tbsSha256);
  }

  results(): OcspResult[] {
    return this.all().flatMap(({ result }) => result ?? []);
  }

  /** Starts and ends feeds so that there is one per target. */
  arrange(targets: readonly OcspTarget[]): void {
    const { run } = this.#options;
    const wanted = new Set(targets.map(({ certificate }) => certificate.tbsSha256));
    for (const [tbsSha256, feed] of this.#feeds) {
      if (wanted.has(tbsSha256)) continue;
      this.#feeds.delete(tbsSha256);
      run(feed.end({ forget: true }));
    }
    for (const target of targets) {
      const { tbsSha256 } = target.certificate;
      const feed = this.#feeds.get(tbsSha256);
      // By name and key, which are all that a query and a response depend on: the issuer may have a renewed certificate.
      if (feed !== undefined && isSameCa(feed.issuer, target.issuer)) feed.setAddresses(target.addresses);
      else this.#feeds.set(tbsSha256, this.#open(target, feed));
    }
  }

  /** `before`: the feed with another issuer. A response signed with that issuer's key no longer counts. */
  #open(target: OcspTarget, before: OcspFeed | undefined): OcspFeed {
    const { context, folder, timeout, isRevoked, run } = this.#options;
    const background = this.#background;
    const feed = new OcspFeed({ ...context, ...target, folder, timeout, isRevoked, background });
    const ended = before?.end({ forget: false }) ?? Promise.resolve();
    // The start of a background feed is limited like its queries: it verifies the stored response, which takes a millisecond
    // or two, and a thousand at once would block the thread.
    const start = async () => {
      await ended;
      await (target.inBackground ? background.run(() => feed.start()) : feed.start());
    };
    run(start());
    return feed;
  }
}
