import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { prepareCertificates } from '../../src/demo/certificates.ts';
import { temporaryFolder } from '../support/folder.ts';

const now = Date.UTC(2026, 0, 15);
const year = 365 * 86_400_000;

it('makes certificates and keys that only their owner may read, and no CA key', async () => {
  await using temporary = await temporaryFolder();
  const folder = join(temporary.path, 'certs', 'dev');
  await prepareCertificates(folder, now);
  const names = (await readdir(folder)).toSorted();
  expect(names).toEqual([
    'client.key',
    'client.pem',
    'issuing.pem',
    'root.pem',
    'server.key',
    'server.pem',
    'stranger.key',
    'stranger.pem',
  ]);
  for (const name of names.filter((each) => each.endsWith('.key'))) {
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  }
  expect((await stat(folder)).mode & 0o777).toBe(0o700);
});

it('uses them again while they are valid', async () => {
  await using folder = await temporaryFolder();
  const { root } = await prepareCertificates(folder.path, now);
  expect((await prepareCertificates(folder.path, now + year / 2)).root.sha256).toBe(root.sha256);
});

it.each<[string, (folder: string) => Promise<unknown>]>([
  ['a file is missing', (folder) => rm(join(folder, 'issuing.pem'))],
  ['a certificate cannot be read', (folder) => writeFile(join(folder, 'client.pem'), 'x')],
  [
    'a key is of another certificate',
    async (folder) => writeFile(join(folder, 'client.key'), await readFile(join(folder, 'server.key'))),
  ],
  [
    'a leaf is of another authority',
    async (folder) => {
      for (const end of ['pem', 'key']) {
        await writeFile(join(folder, `client.${end}`), await readFile(join(folder, `stranger.${end}`)));
      }
    },
  ],
])('makes them anew when %s', async (_, spoil) => {
  await using folder = await temporaryFolder();
  const { root } = await prepareCertificates(folder.path, now);
  await spoil(folder.path);
  expect((await prepareCertificates(folder.path, now)).root.sha256).not.toBe(root.sha256);
});

it('makes them anew when they are about to expire', async () => {
  await using folder = await temporaryFolder();
  const { root } = await prepareCertificates(folder.path, now);
  expect((await prepareCertificates(folder.path, now + year)).root.sha256).not.toBe(root.sha256);
});
