import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { demoFiles, makeCertificates } from '../../src/demo/certificates.ts';
import { parseCertificate } from '../../src/pki/certificate.ts';
import { readCertificates } from '../../src/pki/pem.ts';
import { temporaryFolder } from '../support/folder.ts';

const now = Date.UTC(2026, 0, 15);
const origin = 'http://127.0.0.1:8081';

it('writes certificates and keys that only their owner can read, and no CA key', async () => {
  await using temporary = await temporaryFolder();
  const folder = join(temporary.path, 'certs', 'dev');
  await makeCertificates({ folder, origin, now });
  const names = (await readdir(folder)).toSorted();
  expect(names).toEqual([
    'client.key',
    'client.pem',
    'issuing.pem',
    'other.key',
    'other.pem',
    'revoked.key',
    'revoked.pem',
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

it('issues all of them at every start, because they name the port of that start', async () => {
  await using folder = await temporaryFolder();
  const made = (port: number) =>
    makeCertificates({ folder: folder.path, origin: `http://127.0.0.1:${port}`, now });
  const before = await made(8081);
  const { root, issuing, client, server } = await made(8082);
  expect(root.der).not.toEqual(before.root.der);
  const read = async (name: string) => readCertificates(await readFile(join(folder.path, name)))[0]?.der;
  expect(await read(demoFiles.root)).toEqual(root.der);
  expect(await read(demoFiles.issuing)).toEqual(issuing.der);
  expect(await read(demoFiles.client.chain)).toEqual(client.der);
  expect(await read(demoFiles.server.chain)).toEqual(server.der);
});

it('names CRL and OCSP responder in every certificate below the root', async () => {
  await using folder = await temporaryFolder();
  const { root, issuing, ...leaves } = await makeCertificates({ folder: folder.path, origin, now });
  const named = ({ der }: { der: Buffer }) => {
    const { crlDistributionPoints, ocspUrls } = parseCertificate(der);
    return [...crlDistributionPoints.flatMap(({ urls }) => urls), ...ocspUrls];
  };
  expect(named(root)).toEqual([]);
  expect(named(issuing)).toEqual([`${origin}/root.crl`, `${origin}/ocsp`]);
  for (const leaf of [leaves.client, leaves.other, leaves.revoked, leaves.server])
    expect(named(leaf)).toEqual([`${origin}/issuing.crl`, `${origin}/ocsp`]);
});
