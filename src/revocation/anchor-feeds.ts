/** The CRL and OCSP feeds of one trust anchor: starts and ends them, and waits for their first answers. */
import type { Certificate } from '../pki/certificate.ts';
import { type AddressPlan, planAddresses } from './addresses.ts';
import { CrlCheck } from './crl/check.ts';
import type { CrlFeed } from './crl/feed.ts';
import { CrlFeeds } from './crl/feeds.ts';
import type { CrlParser } from './crl/parser.ts';
import type { SourceState } from './event.ts';
import type { FeedContext } from './feed-context.ts';
import type { OcspFeed } from './ocsp/feed.ts';
import { OcspFeeds } from './ocsp/feeds.ts';
import { ocspTargets } from './ocsp/targets.ts';
import type { RevocationMaterial } from './state.ts';
import type { TrackedLeaf } from './tracked-leaves.ts';

interface AnchorFeedsOptions {
  readonly context: FeedContext;
  readonly folders: { readonly crl: string; readonly ocsp: string };
  readonly parser: CrlParser;
  /** Milliseconds for one fetch. */
  readonly timeouts: { readonly crl: number; readonly ocsp: number };
  /** A CRL feed has another CRL in use: it may name delta CRLs, so the addresses have to be planned again. */
  readonly onCrlChange: () => void;
}

export class AnchorFeeds {
  readonly #context: FeedContext;
  readonly #crls: CrlFeeds;
  readonly #ocsp: OcspFeeds;
  /** Feeds that are starting or ending. */
  readonly #running = new Set<Promise<void>>();
  #plan: AddressPlan = { wanted: [], skipped: [], selected: new Set() };

  constructor({ context, folders, parser, timeouts, onCrlChange }: AnchorFeedsOptions) {
    this.#context = context;
    const run = (work: Promise<void>) => this.run(work);
    this.#crls = new CrlFeeds({
      context: {
        ...context,
        onChange: onCrlChange,
        // A failure of a source is part of the detail of a denial, so it is published too.
        report: (notice) => {
          context.report(notice);
          context.onChange();
        },
      },
      ...{ parser, folder: folders.crl, timeout: timeouts.crl, run },
    });
    this.#ocsp = new OcspFeeds({
      ...{ context, folder: folders.ocsp, timeout: timeouts.ocsp, run },
      isRevoked: (certificate, issuer) => {
        const [crls, revokeOnly] = [this.#crls.inUse(), this.#crls.revokeOnly()];
        const { grace } = context.policy();
        const check = new CrlCheck({ certificates: context.certificates(), crls, revokeOnly, grace });
        return check.status(certificate, { issuer, now: context.clock() }).status === 'revoked';
      },
    });
  }

  all(): (CrlFeed | OcspFeed)[] {
    return [...this.#crls.all(), ...this.#ocsp.all()];
  }

  material(): Pick<RevocationMaterial, 'crls' | 'crlSources' | 'revokeOnly' | 'ocsp'> {
    return {
      crls: this.#crls.inUse(),
      crlSources: this.#crls.sources(),
      revokeOnly: this.#crls.revokeOnly(),
      ocsp: this.#ocsp.results(),
    };
  }

  sources(): SourceState[] {
    return this.all().map((feed) => feed.state());
  }

  /** Starts and ends feeds to match policy, certificates, leaves and CRLs. Returns the addresses that are skipped. */
  arrange(cas: readonly Certificate[], leaves: Iterable<TrackedLeaf>): AddressPlan['skipped'] {
    const { policy, certificates } = this.#context;
    this.#plan = planAddresses({
      ...{ policy: policy(), cas, crls: this.#crls.inUse(), selected: this.#plan.selected },
      leaves: [...leaves].map(({ certificate }) => certificate),
    });
    const { wanted, skipped } = this.#plan;
    this.#crls.arrange(new Set(wanted.filter(({ kind }) => kind === 'crl').map(({ address }) => address)));
    this.#ocsp.arrange(ocspTargets({ wanted, cas, leaves, certificates: certificates() }));
    return skipped;
  }

  /** The anchor's certificates have changed: CRLs whose signer is gone are dropped. */
  async certificatesChanged(): Promise<void> {
    // The start of a feed may verify a copy with the earlier certificates.
    await this.whenStarted();
    await Promise.all(this.#crls.all().map((feed) => feed.certificatesChanged()));
  }

  /** Reads the CRL files now, and checks the expiry of every CRL. */
  async recheck(): Promise<void> {
    await Promise.all(this.#crls.all().map((feed) => feed.recheck()));
  }

  /** Waits for work that never rejects as part of `whenStarted` and `end`. */
  run(work: Promise<void>): void {
    this.#running.add(work);
    work.finally(() => this.#running.delete(work));
  }

  /** Resolves when every feed has read its copy on disk; copies may name addresses of further feeds. */
  async whenStarted(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  /**
   * Resolves when each feed of the CAs, of configured addresses and of the leaf (null: none) has answered once,
   * successfully or not.
   */
  async firstAnswers(cas: () => readonly Certificate[], leaf: Certificate | null): Promise<void> {
    // A CRL may name a delta CRL, whose feed has to answer as well.
    for (;;) {
      const pending = this.#feedsOf(cas(), leaf).flatMap((feed) => feed.firstAnswer ?? []);
      if (pending.length === 0) return;
      await Promise.all(pending);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.all().map((feed) => feed.end({ forget: false })));
    await Promise.all(this.#running);
  }

  #feedsOf(cas: readonly Certificate[], leaf: Certificate | null): (CrlFeed | OcspFeed)[] {
    const concerned = new Set([null, leaf?.tbsSha256, ...cas.map((ca) => ca.tbsSha256)]);
    const feeds = this.#plan.wanted
      .filter(({ certificate }) => concerned.has(certificate))
      .map(({ kind, address, certificate }) =>
        kind === 'crl' ? this.#crls.get(address) : this.#ocsp.get(certificate ?? ''),
      );
    return feeds.filter((feed) => feed !== undefined);
  }
}
