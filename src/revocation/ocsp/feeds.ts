/** The OCSP feeds of one anchor: one per certificate that somebody can be asked about. */
import type { Certificate } from '../../pki/certificate.ts';
import type { FeedContext } from '../feed-context.ts';
import type { OcspFact } from '../state.ts';
import { Slots } from './concurrency-limit.ts';
import { OcspFeed } from './feed.ts';
import type { IsRevoked } from './query.ts';

export interface OcspSubject {
  readonly certificate: Certificate;
  readonly issuer: Certificate;
  /** Responders in the order they are asked; not empty. */
  readonly addresses: readonly string[];
  /** Nobody waits for the first answer. */
  readonly isPatient: boolean;
}

export interface OcspFeedsOptions {
  readonly context: FeedContext;
  /** Where answers lie on disk. */
  readonly folder: string;
  /** Milliseconds for one question. */
  readonly timeout: number;
  readonly isRevoked: IsRevoked;
  /** Work that has begun, which never rejects. */
  readonly run: (work: Promise<void>) => void;
}

/** What nobody waits for, at a time: no responder is flooded when the gateway starts. */
const PATIENT = 8;

export class OcspFeeds {
  readonly #options: OcspFeedsOptions;
  /** By `tbsSha256` of the certificate. */
  readonly #feeds = new Map<string, OcspFeed>();
  readonly #slots = new Slots(PATIENT);

  constructor(options: OcspFeedsOptions) {
    this.#options = options;
  }

  all(): OcspFeed[] {
    return [...this.#feeds.values()];
  }

  get(tbsSha256: string): OcspFeed | undefined {
    return this.#feeds.get(tbsSha256);
  }

  facts(): OcspFact[] {
    return this.all().flatMap(({ fact }) => fact ?? []);
  }

  /** Begins and ends feeds until they are those of these certificates. */
  arrange(subjects: readonly OcspSubject[]): void {
    const { run } = this.#options;
    const wanted = new Set(subjects.map(({ certificate }) => certificate.tbsSha256));
    for (const [tbsSha256, feed] of this.#feeds) {
      if (wanted.has(tbsSha256)) continue;
      this.#feeds.delete(tbsSha256);
      run(feed.end({ forget: true }));
    }
    for (const subject of subjects) {
      const { tbsSha256 } = subject.certificate;
      const feed = this.#feeds.get(tbsSha256);
      if (feed?.issuer.sha256 === subject.issuer.sha256) feed.askAt(subject.addresses);
      else this.#feeds.set(tbsSha256, this.#open(subject, feed));
    }
  }

  /** An answer that another issuer's key has signed counts no more: what is on disk is read under the new one. */
  #open(subject: OcspSubject, before: OcspFeed | undefined): OcspFeed {
    const { context, folder, timeout, isRevoked, run } = this.#options;
    const feed = new OcspFeed({ ...context, ...subject, folder, timeout, isRevoked, slots: this.#slots });
    const ended = before?.end({ forget: false }) ?? Promise.resolve();
    // Reading an answer takes a millisecond or two: a thousand of them at once would hold up everything else.
    const begin = async () => {
      await ended;
      await (subject.isPatient ? this.#slots.run(() => feed.start()) : feed.start());
    };
    run(begin());
    return feed;
  }
}
