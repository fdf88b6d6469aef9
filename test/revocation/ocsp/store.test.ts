import { readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadOcsp, saveOcsp } from '../../../src/revocation/ocsp/store.ts';
import { temporaryFolder } from '../../support/folder.ts';

const sha256 = 'a'.repeat(64);
const stored = { url: 'http://ocsp.example/', fetchedAt: 1_768_478_400_000, bytes: Buffer.of(0x30, 0) };

it('loads what was stored last, and nothing for another certificate', async () => {
  await using folder = await temporaryFolder();
  const place = { folder: join(folder.path, 'ocsp'), sha256 };
  expect(await loadOcsp(place)).toBeNull();
  await saveOcsp(place, { ...stored, bytes: Buffer.of(1) });
  await saveOcsp(place, stored);
  expect(await loadOcsp(place)).toEqual(stored);
  expect(await loadOcsp({ ...place, sha256: 'b'.repeat(64) })).toBeNull();
});

it('writes one file that only its owner can read', async () => {
  await using folder = await temporaryFolder();
  const place = { folder: join(folder.path, 'ocsp'), sha256 };
  await saveOcsp(place, stored);
  await saveOcsp(place, stored);
  expect(await readdir(place.folder)).toEqual([`${sha256}.json`]);
  expect((await stat(join(place.folder, `${sha256}.json`))).mode & 0o777).toBe(0o600);
  expect((await stat(place.folder)).mode & 0o777).toBe(0o700);
});

it.each([
  ['', 'an empty file'],
  ['{"version":1', 'incomplete JSON'],
  ['null', 'null'],
  ['{"version":2,"url":"http://x/","fetchedAt":1,"bytes":""}', 'another version'],
  ['{"version":1,"url":"http://x/","fetchedAt":"1","bytes":""}', 'a field of another type'],
  ['{"version":1,"url":"http://x/","fetchedAt":1}', 'a missing field'],
])('throws OCSP_CACHE_UNREADABLE for a file that cannot be read: %2$s', async (text) => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, `${sha256}.json`), text);
  await expect(loadOcsp({ folder: folder.path, sha256 })).rejects.toEqual(
    expect.objectContaining({ code: 'OCSP_CACHE_UNREADABLE' }),
  );
});

it('accepts only a digest as file name', async () => {
  await expect(saveOcsp({ folder: '/', sha256: '../a' }, stored)).rejects.toThrow(TypeError);
  await expect(loadOcsp({ folder: '/', sha256: '../a' })).rejects.toThrow(TypeError);
});
