/** The real command over a cache as the gateway writes it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { AnchorCache, type StoredAnchor } from '../../src/trust/disk-cache.ts';
import { takeRequests } from '../../src/trust/request-files.ts';
import { createSite, minimal, type Site } from '../config/site.ts';
import { type Authority, authority } from '../support/pki/authority.ts';
import { program } from '../support/process/program.ts';

const urls = ['https://pki.example/root.pem', 'https://pki.example/issuing.pem'];
const [old, next] = [authority(), authority({ name: 'Next' })];
const rootOf = ({ root }: Authority) => parseCertificate(root.der);
const colons = (hex: string) => hex.toUpperCase().replaceAll(/..(?!$)/g, '$&:');
const fetchedAt = Date.UTC(2026, 0, 15, 12);

const storedOf = (pki: Authority, options: Partial<StoredAnchor> = {}): StoredAnchor => ({
  name: 'own',
  fetchedAt,
  rootSha256: rootOf(pki).sha256,
  basis: 'first_use',
  sources: [
    { url: urls[0] as string, bytes: Buffer.from(pki.root.pem) },
    { url: urls[1] as string, bytes: Buffer.from(pki.issuing.pem) },
  ],
  ...options,
});

let site: Site;
let cache: AnchorCache;
beforeEach(async () => {
  site = await createSite();
  cache = new AnchorCache({ cacheDir: join(site.folder, 'trust'), list: 'anchors', name: 'own', urls });
  await configure({ name: 'own', urls });
});
afterEach(() => site[Symbol.asyncDispose]());

async function configure(...anchors: object[]): Promise<void> {
  const trust = { anchors, cacheDir: 'trust' };
  await site.write('gateway.yaml', JSON.stringify({ ...minimal, trust }));
}

/** Exit code and output, the folder left out. */
async function run(...argv: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const [command = '', ...options] = argv;
  const child = spawn(process.execPath, [program, 'trust', command, '--config', site.file, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr: stderr.replaceAll(`${site.folder}/`, '') };
}

const approvals = () => readdir(join(site.folder, 'trust', 'approved')).catch(() => []);

describe('trust list', () => {
  it('prints every anchor with its certificates, one block each', async () => {
    await configure({ name: 'own', urls }, { name: 'file', files: ['anchor.pem'] }, { name: 'cold', urls });
    await cache.save(storedOf(old));
    const { code, stdout, stderr } = await run('list');
    expect([code, stderr]).toEqual([0, '']);
    const { serial, notAfter, sha256, spkiPin } = rootOf(old);
    const [own = '', file = '', cold = ''] = stdout.split('\n\n');
    expect(own.split('\n').slice(0, 7)).toEqual([
      'own  first use  fetched 2026-01-15T12:00:00.000Z',
      '  CN=Example Root CA,OU=Example Directory,O=Example Limited,C=GB',
      `      serial      ${serial}`,
      `      not after   ${new Date(notAfter).toISOString()}`,
      `      SHA-256     ${colons(sha256)}`,
      `      SPKI pin    sha256/${spkiPin}`,
      '      source      https://pki.example/root.pem',
    ]);
    expect(own).toContain('source      https://pki.example/issuing.pem');
    expect(file).toMatch(/^file {2}files\n {2}CN=Example Root CA/);
    expect(file).toContain(`source      ${join(site.folder, 'anchor.pem')}`);
    expect(cold).toBe('cold\n  not usable: nothing was fetched yet\n');
  });

  it('shows the basis of each root, and which anchor has a root that waits for approval', async () => {
    await cache.save(storedOf(old, { basis: 'approval' }));
    await cache.savePending(storedOf(next));
    expect((await run('list')).stdout).toMatch(
      /^own {2}approved {2}fetched .*\n {2}a new root waits for approval; show it with: trust diff --anchor own\n$/s,
    );
    await configure({ name: 'own', urls, rootSha256: rootOf(old).sha256 });
    expect((await run('list')).stdout).toMatch(/^own {2}pinned {2}fetched /);
  });

  it('shows why the stored certificates are not usable', async () => {
    await configure({ name: 'own', urls, rootSha256: rootOf(next).sha256 });
    await cache.save(storedOf(old));
    expect((await run('list')).stdout).toMatch(/^own {2}first use\n {2}not usable: .*not rootSha256\n$/);
  });

  it('prints JSON with --json', async () => {
    await cache.save(storedOf(old));
    await cache.savePending(storedOf(next));
    const { stdout } = await run('list', '--json');
    expect(stdout).toMatch(/^[^\n]+\n$/);
    const { sha256, spkiPin, subject, serial } = rootOf(old);
    expect(JSON.parse(stdout)).toMatchObject({
      anchors: [
        {
          anchor: 'own',
          basis: 'first_use',
          pinned: false,
          fetched_at: '2026-01-15T12:00:00.000Z',
          pending: rootOf(next).sha256,
          certificates: [
            { subject, serial, sha256, spki_pin: spkiPin, source: urls[0] },
            { source: urls[1] },
          ],
        },
      ],
    });
  });

  it('changes nothing, and creates no folder', async () => {
    await run('list');
    expect(await readdir(site.folder)).not.toContain('trust');
  });
});

describe('trust diff', () => {
  it('shows the difference to the certificates in use, and how to approve it', async () => {
    await cache.save(storedOf(old));
    await cache.savePending(storedOf(next));
    const { code, stdout } = await run('diff');
    expect(code).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toBe('own  a new root waits for approval, last served 2026-01-15T12:00:00.000Z');
    expect(lines.filter((line) => /^ {2}[+-] /.test(line))).toEqual([
      '  - CN=Example Root CA,OU=Example Directory,O=Example Limited,C=GB',
      '  - CN=Example Issuing CA,OU=Example Directory,O=Example Limited,C=GB',
      '  + CN=Next Root CA,OU=Next Directory,O=Next Limited,C=GB',
      '  + CN=Next Issuing CA,OU=Next Directory,O=Next Limited,C=GB',
    ]);
    expect(stdout).toContain(`SHA-256     ${colons(rootOf(next).sha256)}`);
    expect(stdout).toContain('trust approve --config FILE --anchor own --sha256 HEX');

    const { pending } = JSON.parse((await run('diff', '--json')).stdout);
    expect(pending).toMatchObject([
      { anchor: 'own', root_sha256: rootOf(next).sha256, approved: false, problem: null },
    ]);
    expect(pending[0].added.map(({ source }: { source: string }) => source)).toEqual(urls);
    expect(pending[0].removed[0]).toMatchObject({ sha256: rootOf(old).sha256 });
  });

  it('reports that no root waits', async () => {
    await cache.save(storedOf(old));
    expect(await run('diff')).toMatchObject({ code: 0, stdout: 'no root waits for approval\n' });
    expect(await run('diff', '--json')).toMatchObject({ stdout: '{"pending":[]}\n' });
  });
});

describe('trust approve', () => {
  const approve = (sha256: string, ...options: string[]) =>
    run('approve', '--anchor', 'own', '--sha256', sha256, ...options);

  it.each([
    ['colons', colons],
    ['plain hex', (hex: string) => hex],
  ])('writes the approval of the root that waits, with its SHA-256 in %s', async (_what, spell) => {
    await cache.save(storedOf(old));
    await cache.savePending(storedOf(next));
    const before = await readFile(join(site.folder, 'trust', 'own.json'));
    expect(await approve(spell(rootOf(next).sha256))).toEqual({
      code: 0,
      stdout: 'own: approved. A running gateway uses it within seconds, a stopped one at its next start.\n',
      stderr: '',
    });
    expect(await cache.loadApproval()).toBe(rootOf(next).sha256);
    expect(await readFile(join(site.folder, 'trust', 'own.json'))).toEqual(before);
    expect((await run('diff')).stdout).toContain('Approved, not in use yet');
  });

  it('prints JSON with --json', async () => {
    await cache.save(storedOf(old));
    await cache.savePending(storedOf(next));
    const root_sha256 = rootOf(next).sha256;
    expect(JSON.parse((await approve(root_sha256, '--json')).stdout)).toEqual({ anchor: 'own', root_sha256 });
  });

  it('refuses a SHA-256 other than that of the root that waits, and prints the correct one', async () => {
    await cache.save(storedOf(old));
    await cache.savePending(storedOf(next));
    const waits = colons(rootOf(next).sha256);
    expect(await approve(rootOf(old).sha256)).toEqual({
      code: 64,
      stdout: '',
      stderr: `own: not approved. The root that waits is CN=Next Root CA,OU=Next Directory,O=Next Limited,C=GB, SHA-256 ${waits}, not ${colons(rootOf(old).sha256)}\n`,
    });
    expect(await approvals()).toEqual([]);
  });

  it.each<[string, () => Promise<unknown>, RegExp]>([
    ['where nothing waits', () => cache.save(storedOf(old)), /^own: no root waits for approval\n$/],
    [
      'against a pin',
      async () => {
        await configure({ name: 'own', urls, rootSha256: rootOf(old).sha256 });
        await cache.save(storedOf(old));
        await cache.savePending(storedOf(next));
      },
      /^own: not approved\. rootSha256 in the configuration allows only /,
    ],
    [
      'of what could not be taken',
      async () => {
        await cache.save(storedOf(old));
        const [root] = storedOf(next).sources;
        const sources = [root, { url: urls[1], bytes: Buffer.from(old.issuing.pem) }];
        await cache.savePending(storedOf(next, { sources: sources as never }));
      },
      /^own: not approved\. The root that waits cannot be used now: .*no path leads to the root/,
    ],
    [
      'of files',
      () => configure({ name: 'own', files: ['anchor.pem'] }),
      /^own is read from files, which need no approval\n$/,
    ],
    [
      'of an anchor that is not there',
      () => configure({ name: 'a', urls }),
      /^the configuration has no anchor own; it has .*a\n$/,
    ],
  ])('refuses %s', async (_what, prepare, problem) => {
    await prepare();
    const { code, stderr } = await approve(rootOf(next).sha256);
    expect(stderr).toMatch(problem);
    expect(code).toBe(64);
    expect(await approvals()).toEqual([]);
  });

  it('refuses a value that is not a SHA-256, and a missing one', async () => {
    await cache.save(storedOf(old));
    await cache.savePending(storedOf(next));
    expect(await approve('abc')).toMatchObject({
      code: 64,
      stderr: '--sha256 needs 64 hex digits, colons allowed\n',
    });
    expect(await run('approve', '--anchor', 'own')).toMatchObject({ code: 64 });
    expect(await run('approve', '--sha256', rootOf(next).sha256)).toMatchObject({ code: 64 });
    expect(await run('')).toMatchObject({ code: 64 });
  });

  it('exits with 70 if the approval cannot be written', async () => {
    await cache.save(storedOf(old));
    await cache.savePending(storedOf(next));
    await writeFile(join(site.folder, 'trust', 'approved'), 'a file where a folder should be');
    expect((await approve(rootOf(next).sha256)).code).toBe(70);
  });
});

it('exits with 70 if the cache cannot be read, and names the file', async () => {
  await cache.save(storedOf(old));
  await writeFile(join(site.folder, 'trust', 'own.json'), 'garbage');
  expect(await run('list')).toEqual({
    code: 70,
    stdout: '',
    stderr: 'trust/own.json: not a stored trust anchor\n',
  });
});

it('exits with 78 and prints the problems of an invalid configuration', async () => {
  await rm(join(site.folder, 'server.key'));
  const { code, stdout, stderr } = await run('list');
  expect([code, stdout]).toEqual([78, '']);
  expect(stderr).toMatch(/^gateway\.yaml:1:\d+: listen\.certificate\.key: found /);
});

describe('a request to a running gateway', () => {
  const requests = async () => (await takeRequests(join(site.folder, 'trust'))).requests;

  it('is written by trust refresh', async () => {
    const { code, stdout } = await run('refresh');
    expect([code, stdout]).toEqual([0, 'A running gateway fetches everything within seconds.\n']);
    expect(await requests()).toEqual([{ command: 'refresh' }]);
  });

  it('is written by trust forget, for an anchor or one of its addresses', async () => {
    const { code, stdout } = await run('forget', '--anchor', 'own');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^own: a running gateway drops every CRL and OCSP answer within seconds/);
    const address = 'http://crl.example/ca.crl';
    const json = await run('forget', '--anchor', 'own', '--address', address, '--json');
    expect(JSON.parse(json.stdout)).toEqual({ anchor: 'own', address });
    const all = { command: 'forget', anchor: 'own', candidate: false, address: null };
    expect(await requests()).toEqual(expect.arrayContaining([all, { ...all, address }]));
  });

  it('is refused for an unknown anchor', async () => {
    expect(await run('forget', '--anchor', 'other')).toMatchObject({
      code: 64,
      stderr: 'the configuration has no anchor other; it has own\n',
    });
    expect(await run('forget')).toMatchObject({ code: 64 });
    expect(await requests()).toEqual([]);
  });
});
