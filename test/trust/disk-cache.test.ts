import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AnchorCache, type CacheKey, type StoredAnchor } from '../../src/trust/disk-cache.ts';
import { temporaryFolder } from '../support/folder.ts';

const urls = ['https://a.example/root.pem', 'https://a.example/issuing.pem'];
const stored: StoredAnchor = {
  name: 'own',
  fetchedAt: 1_768_435_200_000,
  rootSha256: 'ab'.repeat(32),
  basis: 'first_use',
  sources: [
    { url: urls[0] as string, bytes: Buffer.of(0x30, 0, 255), etag: '"x"' },
    { url: urls[1] as string, bytes: Buffer.from('pem'), lastModified: 'Thu, 15 Jan 2026 00:00:00 GMT' },
  ],
};

const cacheOf = (cacheDir: string, key: Partial<CacheKey> = {}) =>
  new AnchorCache({ cacheDir, list: 'anchors', name: 'own', urls, ...key });

it('loads what was saved', async () => {
  await using folder = await temporaryFolder();
  await cacheOf(folder.path).save(stored);
  expect(await cacheOf(folder.path).load()).toEqual(stored);
});

it('creates folder and files with access for the owner only, and leaves no temporary files', async () => {
  await using folder = await temporaryFolder();
  const cacheDir = join(folder.path, 'var', 'trust');
  await cacheOf(cacheDir).save(stored);
  await cacheOf(cacheDir).save(stored);
  expect((await stat(cacheDir)).mode & 0o777).toBe(0o700);
  expect(await readdir(cacheDir)).toEqual(['own.json']);
  expect((await stat(join(cacheDir, 'own.json'))).mode & 0o777).toBe(0o600);
});

it('loads null for an anchor that was never saved, or that came from other URLs', async () => {
  await using folder = await temporaryFolder();
  const cacheDir = folder.path;
  expect(await cacheOf(cacheDir).load()).toBeNull();
  await cacheOf(cacheDir).save(stored);
  expect(await cacheOf(cacheDir, { urls: urls.slice(0, 1) }).load()).toBeNull();
  expect(await cacheOf(cacheDir, { urls: urls.toReversed() }).load()).toBeNull();
});

it('stores every anchor name inside the folder', async () => {
  await using folder = await temporaryFolder();
  for (const name of ['../up', '..', '/etc/x', 'a\0b', 'name with ü']) {
    const cache = cacheOf(folder.path, { name });
    await cache.save({ ...stored, name });
    expect(await cache.load()).toEqual({ ...stored, name });
  }
  expect(await readdir(folder.path)).toHaveLength(5);
});

it.each([
  ['empty', ''],
  ['truncated', '{"version":1,"name":"own"'],
  ['null', 'null'],
  ['of another version', '{"version":2}'],
  ['without a root', '{"version":1,"name":"own","fetchedAt":1,"sources":[]}'],
  [
    'with invalid sources',
    `{"version":1,"name":"own","fetchedAt":1,"rootSha256":"${'ab'.repeat(32)}","sources":[1]}`,
  ],
])('throws for a file that is %s', async (_, text) => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'own.json'), text);
  await expect(cacheOf(folder.path).load()).rejects.toEqual(
    expect.objectContaining({ code: 'TRUST_CACHE_UNREADABLE' }),
  );
});

it('keeps the old file and leaves no temporary file if the new one cannot be written', async () => {
  await using folder = await temporaryFolder();
  await cacheOf(folder.path).save(stored);
  const before = await readFile(join(folder.path, 'own.json'));
  await expect(cacheOf(join(folder.path, 'own.json')).save(stored)).rejects.toThrow();
  expect(await readFile(join(folder.path, 'own.json'))).toEqual(before);
  expect(await readdir(folder.path)).toEqual(['own.json']);
});
