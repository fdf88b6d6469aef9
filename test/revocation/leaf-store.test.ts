import { readdir, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { deleteLeaf, loadLeaves, type StoredLeaf, saveLeaf } from '../../src/revocation/leaf-store.ts';
import { temporaryFolder } from '../support/folder.ts';
import { authority } from '../support/pki/authority.ts';

const own = authority();
const [first, second] = [own.issueClient(), own.issueClient()].map(({ der }) => parseCertificate(der)) as [
  ReturnType<typeof parseCertificate>,
  ReturnType<typeof parseCertificate>,
];

async function load(folder: string) {
  const leaves: StoredLeaf[] = [];
  for await (const leaf of loadLeaves(folder)) leaves.push(leaf);
  return leaves;
}

it('loads the leaves in the order in which they were stored; only the owner can read the files', async () => {
  await using folder = await temporaryFolder();
  const leaves = join(folder.path, 'leaves');
  expect(await load(leaves)).toEqual([]);
  await saveLeaf(leaves, second);
  await saveLeaf(leaves, first);
  await utimes(join(leaves, `${first.sha256}.der`), 1, 1);
  expect((await load(leaves)).map(({ der }) => der)).toEqual([first.der, second.der]);
  expect((await stat(join(leaves, `${first.sha256}.der`))).mode & 0o777).toBe(0o600);
  await deleteLeaf(leaves, first.sha256);
  await deleteLeaf(leaves, first.sha256);
  expect((await load(leaves)).map(({ sha256 }) => sha256)).toEqual([second.sha256]);
});

it('deletes files that are not a stored leaf', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, `${first.sha256}.der`), second.der);
  await writeFile(join(folder.path, `${first.sha256}.der.abc.tmp`), first.der);
  expect(await load(folder.path)).toEqual([]);
  expect(await readdir(folder.path)).toEqual([]);
});
