/** A CRL feed while its anchor's certificates change: a CRL that is being verified counts by the new certificates. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Certificate, parseCertificate } from '../../../src/pki/certificate.ts';
import { AnchorFeeds } from '../../../src/revocation/anchor-feeds.ts';
import { Cache } from '../../../src/revocation/cache.ts';
import { CrlFeed } from '../../../src/revocation/crl/feed.ts';
import { CrlParser } from '../../../src/revocation/crl/parser.ts';
import { openCrlSource } from '../../../src/revocation/crl/source.ts';
import type { FeedContext } from '../../../src/revocation/feed-context.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { authority } from '../../support/pki/authority.ts';
import { openWithCrl, policy, start } from '../../support/revocation/stage.ts';

const [own, other] = [authority({ now: start }), authority({ now: start })];
const both = [own.root, own.issuing, other.issuing].map(({ der }) => parseCertificate(der));
const ownOnly = both.slice(0, 2);

/** Verifies, and returns the result after `release`. */
class HeldParser extends CrlParser {
  held: PromiseWithResolvers<void> | null = null;
  readonly verified = Promise.withResolvers<void>();

  override async parse(job: Parameters<CrlParser['parse']>[0]) {
    const result = await super.parse(job);
    if (this.held !== null) this.verified.resolve();
    await this.held?.promise;
    return result;
  }
}

function contextOf(certificates: () => readonly Certificate[]): FeedContext {
  return {
    ...{ anchor: 'own', policy: () => policy, certificates, tlsCa: () => undefined, report: () => {} },
    ...{ onChange: () => {}, cache: new Cache(() => {}), clock: () => start, random: () => 0 },
    timers: { setTimeout: () => null, clearTimeout: () => {} },
  };
}

it.each<[string, readonly Certificate[], readonly Certificate[], number]>([
  ['is not used if its signer is gone', both, ownOnly, 1],
  ['is used if its signer is new', ownOnly, both, 2],
])('a CRL that was verified with the earlier certificates %s', async (_, before, after, expected) => {
  await using folder = await temporaryFolder();
  await using parser = new HeldParser();
  const address = join(folder.path, 'own.crl');
  let certificates = before;
  const context = contextOf(() => certificates);
  const source = openCrlSource({ ...context, address, folder: folder.path, timeout: 60_000 });
  const feed = new CrlFeed({ ...context, source, parser, deduplicate: (crl) => crl });
  await writeFile(address, own.crl({ number: 1 }).der);
  await feed.start();
  expect(feed.crl?.number).toBe(1n);

  parser.held = Promise.withResolvers();
  await writeFile(address, other.crl({ number: 2 }).der);
  const fetching = feed.refresh();
  await parser.verified.promise;
  certificates = after;
  const changing = feed.certificatesChanged();
  parser.held.resolve();
  await Promise.all([fetching, changing]);
  expect(feed.crl?.number).toBe(BigInt(expected));
  await feed.end({ forget: false });
});

it('a copy on disk that was verified with the earlier certificates is not used if its signer is gone', async () => {
  await using stage = await openWithCrl();
  await stage.revocation.close();
  await using parser = new HeldParser();
  parser.held = Promise.withResolvers();
  const folder = join(stage.cacheDir, 'crl', 'own');
  let certificates: readonly Certificate[] = stage.certificatesOf(stage.own);
  const crl = [stage.url('/own.crl')];
  const context = { ...contextOf(() => certificates), policy: () => ({ ...policy, crl }) };
  const feeds = new AnchorFeeds({
    ...{ context, parser, folders: { crl: folder, ocsp: folder } },
    ...{ timeouts: { crl: 1000, ocsp: 1000 }, onCrlChange: () => {} },
  });
  feeds.arrange([], []);
  await parser.verified.promise;
  certificates = stage.certificatesOf(other);
  const changing = feeds.certificatesChanged();
  parser.held.resolve();
  await changing;
  await feeds.whenStarted();
  expect(feeds.material().crls).toEqual([]);
  await feeds.end();
});
