import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { Cache } from '../../src/revocation/cache.ts';
import { saveLeaf } from '../../src/revocation/leaf-store.ts';
import { TrackedLeaves } from '../../src/revocation/tracked-leaves.ts';
import { temporaryFolder } from '../support/folder.ts';
import { authority } from '../support/pki/authority.ts';
import { twinOf } from '../support/pki/twin.ts';

const own = authority();
const certificates = [own.root, own.issuing].map(({ der }) => parseCertificate(der));

function openLeaves(folder: string, clock = Date.now): TrackedLeaves {
  return new TrackedLeaves({
    ...{ folder: join(folder, 'leaves'), ocspFolder: join(folder, 'ocsp'), limit: 3, clock },
    certificates: () => certificates,
    cache: new Cache((detail) => {
      throw new Error(detail);
    }),
  });
}

it('keeps the maximum number, and drops the least recently used', async () => {
  await using folder = await temporaryFolder();
  const leaves = openLeaves(folder.path);
  const met = Array.from({ length: 5 }, () => own.issueClient());
  const [first, second, third] = met.map(({ der }) => leaves.add(der));
  for (const leaf of [first, second, third]) if (leaf) await leaves.save(leaf);
  leaves.find(first?.certificate.der ?? Buffer.alloc(0));
  await leaves.trim();
  const left = new Set([...leaves].map(({ certificate }) => certificate.sha256));
  expect(left.size).toBe(3);
  expect([first, second, third].map((leaf) => left.has(leaf?.certificate.sha256 ?? ''))).toEqual([
    true,
    false,
    false,
  ]);
  expect(await readdir(join(folder.path, 'leaves'))).toEqual([`${first?.certificate.sha256}.der`]);
});

it('drops expired leaves', async () => {
  await using folder = await temporaryFolder();
  let now = Date.now();
  const leaves = openLeaves(folder.path, () => now);
  const leaf = leaves.add(own.issueClient({ notAfter: now + 60_000 }).der);
  leaves.add(own.issueClient().der);
  now += 120_000;
  await leaves.trim();
  expect([...leaves]).toHaveLength(1);
  expect(leaves.find(leaf?.certificate.der ?? Buffer.alloc(0))).toBeNull();
});

it('has one leaf for a certificate and its copy with another signature encoding, from disk too', async () => {
  await using folder = await temporaryFolder();
  const leaves = openLeaves(folder.path);
  const made = own.issueClient();
  const leaf = leaves.add(made.der);
  expect(leaves.find(twinOf(made).der)).toBe(leaf);
  // An earlier version stored both.
  for (const { der } of [made, twinOf(made)])
    await saveLeaf(join(folder.path, 'leaves'), parseCertificate(der));
  const restored = openLeaves(folder.path);
  await restored.restore();
  expect([...restored]).toHaveLength(1);
  expect(await readdir(join(folder.path, 'leaves'))).toHaveLength(1);
  expect(restored.find(Buffer.from('no certificate'))).toBeNull();
});
