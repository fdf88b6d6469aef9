import { readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  acceptDraft,
  confirmCrl,
  deleteCrls,
  discardDraft,
  loadCrl,
  writeDraft,
} from '../../../src/revocation/crl/store.ts';
import { temporaryFolder } from '../../support/folder.ts';

const url = 'http://crl.example/own.crl';
const validators = { etag: '"1"', lastModified: 'Thu, 15 Jan 2026 12:00:00 GMT' };
const kept = { fetchedAt: 1_768_478_400_000, validators };

it('loads the CRL that was accepted last, never a draft', async () => {
  await using folder = await temporaryFolder();
  const place = { folder: join(folder.path, 'crl'), url };
  expect(await loadCrl(place)).toBeNull();
  await writeDraft(place, Buffer.from('one'));
  expect(await loadCrl(place)).toBeNull();
  await acceptDraft(place, kept);
  await writeDraft(place, Buffer.from('two'));
  const stored = await loadCrl(place);
  expect(stored).toMatchObject(kept);
  expect(await readFile(stored?.file ?? '', 'utf8')).toBe('one');
  await discardDraft(place);
  expect(await readdir(place.folder)).toHaveLength(2);
  await confirmCrl(place, { ...kept, fetchedAt: kept.fetchedAt + 1 });
  expect(await loadCrl(place)).toMatchObject({ fetchedAt: kept.fetchedAt + 1, validators });
  expect(await loadCrl({ ...place, url: `${url}?` })).toBeNull();
  await deleteCrls(place);
  expect(await readdir(place.folder)).toEqual([]);
});

// /dev/full exists on Linux only.
it.runIf(process.platform === 'linux')('leaves no incomplete draft on a full disk', async () => {
  await using folder = await temporaryFolder();
  const place = { folder: folder.path, url };
  await writeDraft(place, Buffer.from('one'));
  const [draft = ''] = await readdir(place.folder);
  await discardDraft(place);
  await symlink('/dev/full', join(place.folder, draft));
  await expect(writeDraft(place, Buffer.from('two'))).rejects.toMatchObject({ code: 'ENOSPC' });
  expect(await readdir(place.folder)).toEqual([]);
});

it.each(['', '{"version":1', 'null', '{"version":2}', '{"version":1,"url":"http://other/","fetchedAt":1}'])(
  'throws CRL_CACHE_UNREADABLE for the record %j',
  async (text) => {
    await using folder = await temporaryFolder();
    const place = { folder: folder.path, url };
    await writeDraft(place, Buffer.from('one'));
    await acceptDraft(place, kept);
    const [record = ''] = (await readdir(folder.path)).filter((name) => name.endsWith('.json'));
    await writeFile(join(folder.path, record), text);
    await expect(loadCrl(place)).rejects.toMatchObject({ code: 'CRL_CACHE_UNREADABLE' });
  },
);
