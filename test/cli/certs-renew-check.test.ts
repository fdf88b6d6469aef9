/** `certs renew-check` with the real process, on the files of a configuration and on a cache as the gateway writes it. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { acceptDraft, writeDraft } from '../../src/revocation/crl/store.ts';
import { revocationFolders } from '../../src/revocation/service.ts';
import { AnchorCache } from '../../src/trust/disk-cache.ts';
import { createSite, minimal, type Site } from '../config/site.ts';
import { authority } from '../support/pki/authority.ts';
import { runCommand } from './command.ts';

const day = 24 * 3_600_000;
const now = Date.now();
let site: Site;
beforeEach(async () => {
  site = await createSite();
  await configure({});
});
afterEach(() => site[Symbol.asyncDispose]());

const configure = (sections: object) =>
  site.write('gateway.yaml', JSON.stringify({ ...minimal, ...sections }));
const check = (...options: string[]) =>
  runCommand(['certs', 'renew-check', '--config', 'gateway.yaml', ...options], { cwd: site.folder });

interface Item {
  readonly purpose: string;
  readonly due: boolean;
  readonly urgency: string;
  readonly days_left: number;
  readonly source: string;
  readonly path: string;
}

async function report(...options: string[]) {
  const { stdout, stderr, code } = await check('--json', ...options);
  const { items, faults, due } = JSON.parse(stdout);
  const shown: Item[] = items.map((each: Item) => ({
    ...each,
    source: each.source.replace(`${site.folder}/`, ''),
  }));
  return { items: shown, faults, due, stderr, code };
}

async function serveUntil(notAfter: number): Promise<void> {
  const server = authority().issueServer({ notBefore: now - 300 * day, notAfter });
  await site.write('server.pem', server.chainPem);
  await site.write('server.key', server.keyPem);
}

it('lists everything, and exits with 0 if nothing is due', async () => {
  const { items, due, code, stderr } = await report();
  expect(items.map(({ purpose, source, due }) => [purpose, source, due])).toEqual([
    ['server', 'server.pem', false],
    ['server_chain', 'server.pem', false],
    ['anchor_root', 'anchor.pem', false],
    ['anchor_ca', 'anchor.pem', false],
  ]);
  expect([due, code, stderr]).toEqual([0, 0, '']);
});

it('exits with 1 within --days, and says what to do', async () => {
  await serveUntil(now + 20.5 * day);
  expect((await check('--days', '20')).code).toBe(0);
  const { code, stdout } = await check('--days', '21');
  expect(code).toBe(1);
  expect(stdout).toContain('20 days left');
  expect(stdout).toContain('gateway.yaml: 1 of 4 due within 21 days');
  expect(stdout).toContain('CN=localhost: request a new one from its CA');
  expect((await report()).items[0]).toMatchObject({ urgency: 'within_30', days_left: 20, due: true });
});

it('shows an expired server certificate, although the gateway would not start with it', async () => {
  await serveUntil(now - day);
  const { items, code, stderr } = await report();
  expect(items[0]).toMatchObject({ purpose: 'server', urgency: 'expired', days_left: -2, due: true });
  expect(code).toBe(1);
  expect(stderr).toContain('gateway.yaml:1:');
});

it('reads CAs and client certificates of hosts, and names each host', async () => {
  const pki = authority({ name: 'Host' });
  const client = pki.issueClient({ notBefore: now - 300 * day, notAfter: now + 5 * day });
  await site.write('host-ca.pem', pki.root.pem);
  await site.write('host-client.pem', client.pem);
  await site.write('host-client.key', client.keyPem);
  const tls = { ca: 'host-ca.pem', certificate: { chain: 'host-client.pem', key: 'host-client.key' } };
  await configure({
    routes: ['/a', '/b'].map((path) => ({ path, upstream: { url: 'https://host.example', tls } })),
  });
  const { items } = await report();
  expect(items.filter(({ path }) => path.startsWith('routes'))).toEqual([
    expect.objectContaining({
      ...{ purpose: 'upstream_client', due: true, urgency: 'within_7', used_by: 'host https://host.example' },
      path: 'routes[0].upstream.tls.certificate, routes[1].upstream.tls.certificate',
    }),
    expect.objectContaining({ purpose: 'upstream_ca', due: false }),
  ]);
});

describe('what was fetched', () => {
  const urls = ['https://pki.example/root.pem', 'https://pki.example/issuing.pem'];
  const pki = authority({ name: 'Fetched' });
  const anchors = (revocation = {}) => ({
    trust: { anchors: [{ name: 'own', urls, revocation }], cacheDir: 'trust' },
  });

  async function store(list: 'save' | 'savePending', of: typeof pki): Promise<void> {
    const cache = new AnchorCache({
      cacheDir: join(site.folder, 'trust'),
      list: 'anchors',
      name: 'own',
      urls,
    });
    const [root = '', issuing = ''] = urls;
    await cache[list]({
      ...{ name: 'own', fetchedAt: now, basis: 'first_use', rootSha256: '0'.repeat(64) },
      ...(list === 'save' ? { rootSha256: sha256Of(of) } : {}),
      sources: [
        { url: root, bytes: Buffer.from(of.root.pem) },
        { url: issuing, bytes: Buffer.from(of.issuing.pem) },
      ],
    });
  }
  const sha256Of = ({ root }: typeof pki) => parseCertificate(root.der).sha256;

  it('is read from the cache of the gateway; without one the anchor is a fault', async () => {
    await configure(anchors());
    const { faults, code } = await report();
    expect(faults.map(({ source }: Item) => source)).toEqual(urls);
    expect(code).toBe(1);
    await mkdir(join(site.folder, 'trust'), { recursive: true });
    await store('save', pki);
    const { items } = await report();
    expect(items.filter(({ path }) => path.startsWith('trust')).map(({ source }) => source)).toEqual(urls);
  });

  it('includes CRLs: one is due from its nextUpdate on', async () => {
    const url = 'http://pki.example/ca.crl';
    await configure(anchors({ crl: [url] }));
    await mkdir(join(site.folder, 'trust'), { recursive: true });
    await store('save', pki);
    const key = { folder: revocationFolders(join(site.folder, 'trust'), 'own').crl, url };
    const keep = async (nextUpdate: number) => {
      await writeDraft(key, pki.crl({ thisUpdate: now - 9 * day, nextUpdate }).der);
      await acceptDraft(key, { fetchedAt: now, validators: {} });
      const { items, code } = await report();
      return { code, ...items.find(({ purpose }) => purpose === 'crl') };
    };
    expect(await keep(now + day)).toMatchObject({ code: 0, due: false, source: url, urgency: 'within_7' });
    expect(await keep(now - day)).toMatchObject({ code: 1, due: true, urgency: 'expired' });
  });
});

it('refuses a configuration that is not valid with 78, and a wrong number of days with 64', async () => {
  await site.write('gateway.yaml', 'listen: 7');
  const { code, stdout, stderr } = await check();
  expect([code, stdout]).toEqual([78, '']);
  expect(stderr).toContain('gateway.yaml:1:');
  expect((await check('--days', 'soon')).code).toBe(64);
});
