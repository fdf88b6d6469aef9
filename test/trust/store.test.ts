import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadAnchor, type StoredAnchor, saveAnchor } from '../../src/trust/store.ts';
import { temporaryFolder } from '../support/folder.ts';

const urls = ['https://a.example/root.pem', 'https://a.example/issuing.pem'];
const stored: StoredAnchor = {
  name: 'own',
  fetchedAt: 1_768_435_200_000,
  rootSha256: 'ab'.repeat(32),
  sources: [
    { url: urls[0] as string, bytes: Buffer.of(0x30, 0, 255), etag: '"x"' },
    { url: urls[1] as string, bytes: Buffer.from('pem'), lastModified: 'Thu, 15 Jan 2026 00:00:00 GMT' },
  ],
};

it('gives back what was saved', async () => {
  await using folder = await temporaryFolder();
  await saveAnchor(folder.path, stored);
  expect(await loadAnchor({ cacheDir: folder.path, name: 'own', urls })).toEqual(stored);
});

it('makes a folder for its owner alone, files for their owner alone, and leaves no drafts', async () => {
  await using folder = await temporaryFolder();
  const cacheDir = join(folder.path, 'var', 'trust');
  await saveAnchor(cacheDir, stored);
  await saveAnchor(cacheDir, stored);
  expect((await stat(cacheDir)).mode & 0o777).toBe(0o700);
  expect(await readdir(cacheDir)).toEqual(['own.json']);
  expect((await stat(join(cacheDir, 'own.json'))).mode & 0o777).toBe(0o600);
});

it('has nothing for an anchor that was never saved, or that came from other URLs', async () => {
  await using folder = await temporaryFolder();
  const cacheDir = folder.path;
  expect(await loadAnchor({ cacheDir, name: 'own', urls })).toBeNull();
  await saveAnchor(cacheDir, stored);
  expect(await loadAnchor({ cacheDir, name: 'own', urls: urls.slice(0, 1) })).toBeNull();
  expect(await loadAnchor({ cacheDir, name: 'own', urls: urls.toReversed() })).toBeNull();
});

it('keeps every name within the folder', async () => {
  await using folder = await temporaryFolder();
  for (const name of ['../up', '..', '/etc/x', 'a\0b', 'name with ü']) {
    await saveAnchor(folder.path, { ...stored, name });
    expect(await loadAnchor({ cacheDir: folder.path, name, urls })).toEqual({ ...stored, name });
  }
  expect(await readdir(folder.path)).toHaveLength(5);
});

it.each([
  ['empty', ''],
  ['cut', '{"version":1,"name":"own"'],
  ['null', 'null'],
  ['of another version', '{"version":2}'],
  ['without a root', '{"version":1,"name":"own","fetchedAt":1,"sources":[]}'],
  [
    'with sources that are none',
    `{"version":1,"name":"own","fetchedAt":1,"rootSha256":"${'ab'.repeat(32)}","sources":[1]}`,
  ],
])('says so when the file is %s', async (_, text) => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'own.json'), text);
  await expect(loadAnchor({ cacheDir: folder.path, name: 'own', urls })).rejects.toEqual(
    expect.objectContaining({ code: 'TRUST_CACHE_UNREADABLE' }),
  );
});

it('keeps the old file and leaves no draft when the new one cannot be written', async () => {
  await using folder = await temporaryFolder();
  await saveAnchor(folder.path, stored);
  const before = await readFile(join(folder.path, 'own.json'));
  await expect(saveAnchor(join(folder.path, 'own.json'), stored)).rejects.toThrow();
  expect(await readFile(join(folder.path, 'own.json'))).toEqual(before);
  expect(await readdir(folder.path)).toEqual(['own.json']);
});
