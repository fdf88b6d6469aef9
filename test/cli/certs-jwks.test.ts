/** `certs jwks`, run as a process: certificates to a JSON Web Key Set, and back. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify, SignJWT } from 'jose';
import { expect, it } from 'vitest';
import { readCertificates } from '../../src/pki/pem.ts';
import { temporaryFolder } from '../support/folder.ts';
import { authority } from '../support/pki/authority.ts';
import { openssl } from '../support/pki/tool.ts';
import { runCommand } from '../support/process/command.ts';

const pki = authority();
const rsa = pki.issueClient({ key: 'rsa-2048' });
const ec = pki.issueClient();

async function workFolder() {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'rsa.pem'), rsa.chainPem);
  await writeFile(join(folder.path, 'ec.der'), ec.der);
  await writeFile(join(folder.path, 'rsa.key'), rsa.keyPem);
  const run = (args: string, input = '') =>
    runCommand(['certs', 'jwks', ...args.split(' ')], { cwd: folder.path, input });
  return { ...folder, run };
}

it('prints a set that jose verifies signatures with', async () => {
  await using folder = await workFolder();
  for (const args of ['rsa.pem ec.der', 'rsa.pem ec.der --json']) {
    const { code, stdout, stderr } = await folder.run(args);
    expect([code, stderr]).toEqual([0, '']);
    const set = JSON.parse(stdout);
    for (const [index, leaf] of [rsa, ec].entries()) {
      const { alg, kid } = set.keys[index];
      const token = await new SignJWT({}).setProtectedHeader({ alg, kid }).sign(leaf.privateKey);
      await jwtVerify(token, createLocalJWKSet(set));
    }
    expect(stdout.trimEnd().includes('\n')).toBe(!args.includes('--json'));
  }
});

it('returns the same certificates as PEM that openssl reads, from a file and from stdin', async () => {
  await using folder = await workFolder();
  expect((await folder.run('rsa.pem ec.der --out set.json')).stdout).toBe('set.json is written.\n');
  const { stdout } = await folder.run('--pem set.json');
  expect(readCertificates(Buffer.from(stdout)).map(({ der }) => der)).toEqual([
    rsa.der,
    pki.issuing.der,
    ec.der,
  ]);
  expect(stdout).toMatch(
    /^# subject CN=Example client,OU=Example organisation,O=Example,C=GB; kid \S{43}; use sig\n/,
  );
  openssl(['x509', '-noout'], { input: stdout });
  const text = await readFile(join(folder.path, 'set.json'), 'utf8');
  expect((await folder.run('--pem -', text)).stdout).toBe(stdout);
  const [first] = JSON.parse((await folder.run('--pem --json set.json')).stdout).certificates;
  expect(first).toMatchObject({ use: 'sig', alg: 'RS256', pem: rsa.chainPem });
});

it.each([
  ['rsa.key', 'rsa.key: PEM block 1 (line 1) is a private key; only certificates are allowed\n'],
  ['absent.pem', 'absent.pem: cannot be read (ENOENT)\n'],
  ['rsa.pem --alg none', /found alg none for use sig and RSA; allowed RS256, /],
  ['rsa.pem --use both', /Allowed choices are sig, enc\./],
  ['rsa.pem --out rsa.key', 'rsa.key: exists already; allowed a new name, or --force to replace it\n'],
  ['--pem rsa.key', 'rsa.key: found a private key; allowed a JSON Web Key Set\n'],
  ['--pem rsa.pem', 'rsa.pem: found a certificate; allowed a JSON Web Key Set\n'],
])('exits with 64 and one sentence, without a result: %s', async (args, message) => {
  await using folder = await workFolder();
  const { code, stdout, stderr } = await folder.run(args);
  expect([code, stdout]).toEqual([64, '']);
  if (typeof message === 'string') expect(stderr).toBe(message);
  else expect(stderr).toMatch(message);
  expect(await readFile(join(folder.path, 'rsa.key'), 'utf8')).toBe(rsa.keyPem);
});
