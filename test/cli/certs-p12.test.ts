/** `certs p12 export` and `import`, run as processes, against files of openssl and keytool. */
import { createPrivateKey } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { expect, it } from 'vitest';
import { writePkcs12 } from '../../src/issuing/pkcs12/writer.ts';
import { privateKeyPem } from '../../src/issuing/private-key-file.ts';
import { readCertificates } from '../../src/pki/pem.ts';
import { temporaryFolder } from '../support/folder.ts';
import { authority } from '../support/pki/authority.ts';
import { hasKeytool, keytool, openssl } from '../support/pki/tool.ts';
import { type CommandResult, runCommand } from '../support/process/command.ts';

const pki = authority();
const client = pki.issueClient({ key: 'rsa-2048' });
const password = 'Pässword-1';

/** A folder with the client's certificate, chain and key, the root, and a password. */
async function workFolder() {
  const folder = await temporaryFolder();
  const files = {
    'client.pem': client.pem,
    'chain.pem': client.chainPem,
    'client.key': client.keyPem,
    'cas.pem': pki.anchorPem,
    password: `${password}\n`,
    'wrong-password': 'Wrong-1\n',
  };
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder.path, name), content);
  const run = (args: string) => runCommand(['certs', 'p12', ...args.split(' ')], { cwd: folder.path });
  const read = (name: string) => readFile(join(folder.path, name));
  return {
    ...folder,
    run,
    read,
    modeOf: async (name: string) => (await stat(join(folder.path, name))).mode & 0o777,
  };
}

/** No part of the key, and no password. */
function expectNoSecret({ stdout, stderr }: CommandResult): void {
  for (const text of [stdout, stderr]) {
    expect(text).not.toContain(password);
    expect(text).not.toContain('PRIVATE KEY-----');
    for (const line of client.keyPem.split('\n').slice(1, -2)) expect(text).not.toContain(line);
  }
}

const dersIn = (pem: Buffer) => readCertificates(pem).map(({ der }) => der);

it.each(['', ' --legacy'])('exports key and chain to a file that openssl and Node open%s', async (legacy) => {
  await using folder = await workFolder();
  const result = await folder.run(
    `export --cert client.pem --key client.key --chain cas.pem --out a.p12 --password-file password --name ehi${legacy}`,
  );
  expectNoSecret(result);
  expect([result.code, result.stderr]).toEqual([0, '']);
  expect(result.stdout).toBe(
    `a.p12 has the key, its certificate and 2 of its issuers, protected with ${legacy === '' ? 'AES-256 and PBKDF2 with SHA-256' : '3DES and SHA-1'}.\n`,
  );
  expect(await folder.modeOf('a.p12')).toBe(0o600);
  const bytes = await folder.read('a.p12');
  expect(() => createSecureContext({ pfx: bytes, passphrase: password })).not.toThrow();
  const source = ['pkcs12', '-in', 'a.p12', '-passin', 'file:password', '-nodes'];
  const certificates = openssl([...source, '-nokeys'], { cwd: folder.path });
  expect(dersIn(Buffer.from(certificates))).toEqual([client.der, pki.issuing.der, pki.root.der]);
  const key = createPrivateKey(openssl([...source, '-nocerts'], { cwd: folder.path }));
  expect(key.equals(client.privateKey)).toBe(true);
});

it('imports what it has exported: the chain without the root, the key, and the root beside them', async () => {
  await using folder = await workFolder();
  await folder.run(
    'export --cert chain.pem --key client.key --chain cas.pem --out a.p12 --password-file password',
  );
  const result = await folder.run('import a.p12 --out b --password-file password');
  expectNoSecret(result);
  expect(result.code).toBe(0);
  expect(dersIn(await folder.read('b.pem'))).toEqual([client.der, pki.issuing.der]);
  expect(dersIn(await folder.read('b-ca.pem'))).toEqual([pki.root.der]);
  expect(createPrivateKey(await folder.read('b.key')).equals(client.privateKey)).toBe(true);
  expect(await folder.modeOf('b.key')).toBe(0o600);
  expect(result.stdout).toContain(
    'b.pem\n  CN=Example client,OU=Example organisation,O=Example,C=GB\n  CN=Example Issuing CA,',
  );
});

it.each([
  ['modern', []],
  ['legacy RC2-40 and 3DES', ['-legacy']],
])('imports the %s form of openssl', async (_name, flags) => {
  await using folder = await workFolder();
  const source = ['pkcs12', '-export', '-in', 'chain.pem', '-inkey', 'client.key', '-out', 'a.p12'];
  openssl([...source, '-passout', 'file:password', ...flags], { cwd: folder.path });
  const result = await folder.run('import a.p12 --out b --password-file password --json');
  expect(JSON.parse(result.stdout)).toEqual({
    files: ['b.pem', 'b.key'],
    subject: 'CN=Example client,OU=Example organisation,O=Example,C=GB',
    encryption: expect.stringContaining(flags.length === 0 ? 'AES-256-CBC' : 'RC2-40'),
  });
  openssl(['pkey', '-in', 'b.key', '-check', '-noout'], { cwd: folder.path });
  expect(createPrivateKey(await folder.read('b.key')).equals(client.privateKey)).toBe(true);
});

it('encrypts the imported key with a passphrase of its own', async () => {
  await using folder = await workFolder();
  await writeFile(join(folder.path, 'phrase'), 'phrase-1');
  await folder.run('export --cert client.pem --key client.key --out a.p12 --password-file password');
  expect(
    (await folder.run('import a.p12 --out b --password-file password --passphrase-file phrase')).code,
  ).toBe(0);
  expect(
    createPrivateKey({ key: await folder.read('b.key'), passphrase: 'phrase-1' }).equals(client.privateKey),
  ).toBe(true);
});

it('exports an encrypted key with its passphrase', async () => {
  await using folder = await workFolder();
  await writeFile(join(folder.path, 'e.key'), privateKeyPem(client.privateKey, 'phrase-1'));
  openssl(
    ['rsa', '-in', 'client.key', '-aes128', '-passout', 'pass:phrase-1', '-traditional', '-out', 't.key'],
    { cwd: folder.path },
  );
  await writeFile(join(folder.path, 'phrase'), 'phrase-1');
  for (const name of ['e.key', 't.key']) {
    const args = `export --cert client.pem --key ${name} --out ${name}.p12 --password-file password`;
    expect((await folder.run(`${args} --key-passphrase-file phrase`)).code).toBe(0);
    expect(await folder.run(`${args} --force --key-passphrase-file wrong-password`)).toMatchObject({
      code: 64,
      stderr: `${name}: cannot be decrypted: the passphrase is wrong, or the file is damaged\n`,
    });
    expect((await folder.run(`${args} --force`)).stderr).toBe(
      `the passphrase of ${name} is needed: give --key-passphrase-file FILE, or run the command on a terminal\n`,
    );
  }
});

it('imports a file with the empty password without asking for one', async () => {
  await using folder = await workFolder();
  const bytes = writePkcs12({
    certificates: [client.der],
    key: client.privateKey,
    password: '',
    legacy: true,
  });
  await writeFile(join(folder.path, 'a.p12'), bytes);
  expect((await folder.run('import a.p12 --out b')).code).toBe(0);
});

it.skipIf(!hasKeytool)(
  'imports from keytool: one of several keys by its alias, and a trust store without keys',
  async () => {
    await using folder = await workFolder();
    const cwd = folder.path;
    await writeFile(join(cwd, 'secret'), 'secret-1');
    const store = (name: string) => ['-keystore', name, '-storetype', 'PKCS12', '-storepass', 'secret-1'];
    for (const alias of ['first', 'second'])
      keytool(['-genkeypair', '-alias', alias, '-keyalg', 'EC', '-dname', `CN=${alias}`, ...store('a.p12')], {
        cwd,
      });
    expect((await folder.run('import a.p12 --out b --password-file secret')).stderr).toBe(
      'a.p12: found 2 private keys: first, second; choose one with --name\n',
    );
    expect((await folder.run('import a.p12 --out b --password-file secret --name third')).stderr).toBe(
      '--name third: found no private key of this name; allowed first, second\n',
    );
    const { stdout } = await folder.run('import a.p12 --out b --password-file secret --name Second --json');
    expect(JSON.parse(stdout)).toMatchObject({ files: ['b.pem', 'b-ca.pem', 'b.key'], subject: 'CN=second' });

    keytool(['-importcert', '-noprompt', '-alias', 'ca', '-file', 'client.pem', ...store('trust.p12')], {
      cwd,
    });
    const trusted = await folder.run('import trust.p12 --out c --password-file secret');
    expect(trusted.stdout).toContain('The file has no private key.\n');
    expect(dersIn(await folder.read('c.pem'))).toEqual([client.der]);
    expect(await readdir(cwd)).not.toContain('c.key');
  },
);

it.skipIf(!hasKeytool)('says how a JKS file is converted, and keytool does it so', async () => {
  await using folder = await workFolder();
  const cwd = folder.path;
  const secret = ['-storepass', 'secret-1', '-keypass', 'secret-1'];
  keytool(
    ['-genkeypair', '-keyalg', 'RSA', '-dname', 'CN=a', '-keystore', 'a.jks', '-storetype', 'JKS', ...secret],
    { cwd },
  );
  const { code, stderr } = await folder.run('import a.jks --out b --password-file password');
  expect(code).toBe(64);
  expect(stderr).toBe(
    'a.jks: is a Java key store in the format JKS; convert it to PKCS#12 first: keytool -importkeystore -srckeystore FILE -srcstoretype JKS -destkeystore FILE.p12 -deststoretype PKCS12\n',
  );
  const [, command = ''] = /keytool (.*)\n/.exec(stderr) ?? [];
  const words = command.replace('FILE ', 'a.jks ').replace('FILE.p12', 'a.p12').split(' ');
  keytool([...words, '-srcstorepass', 'secret-1', '-deststorepass', 'secret-1'], { cwd });
  await writeFile(join(cwd, 'secret'), 'secret-1');
  expect((await folder.run('import a.p12 --out b --password-file secret')).code).toBe(0);
});

it.each([
  [
    'import a.p12 --out b --password-file wrong-password',
    'a.p12: needs another password: its MAC does not match\n',
  ],
  [
    'import a.p12 --out b',
    'the password of a.p12 is needed: give --password-file FILE, or run the command on a terminal\n',
  ],
  [
    'import client.key --out b --password-file password',
    'client.key: is no PKCS#12 file, but a private key\n',
  ],
  ['import absent --out b --password-file password', 'absent: cannot be read (ENOENT)\n'],
  ['import . --out b --password-file password', '.: is a folder\n'],
  [
    'export --cert client.pem --key client.pem --out b.p12 --password-file password',
    'client.pem: found no private key; allowed one in PEM (PKCS#8, PKCS#1, SEC 1) or in DER (PKCS#8)\n',
  ],
  [
    'export --cert client.key --key client.key --out b.p12 --password-file password',
    'client.key: PEM block 1 (line 1) is a private key; only certificates are allowed\n',
  ],
  [
    'export --cert cas.pem --key client.key --out b.p12 --password-file password',
    'client.key: found another key than that of cas.pem (CN=Example Root CA,OU=Example Directory,O=Example Limited,C=GB); allowed its key\n',
  ],
  [
    'export --cert client.pem --key client.key --chain stranger.pem --out b.p12 --password-file password',
    'stranger.pem: found CN=Example Root CA,OU=Example Directory,O=Example Limited,C=GB, which is not on the chain of CN=Example client,OU=Example organisation,O=Example,C=GB; allowed its issuers\n',
  ],
  [
    'export --cert client.pem --key client.key --out client.key --force --password-file password',
    '--out client.key: found the name of an input; allowed another name\n',
  ],
  [
    'export --cert client.pem --key client.key --out chain.pem --password-file password',
    'chain.pem: exists already; allowed a new name, or --force to replace it\n',
  ],
  [
    'import a.p12 --out client --password-file password',
    'client.pem: exists already; allowed a new name, or --force to replace it\n',
  ],
  [
    'export --cert client.pem --key client.key --out b.p12 --password Secret-1',
    "error: unknown option '--password'",
  ],
])('exits with 64 and one sentence, and changes nothing: %s', async (args, message) => {
  await using folder = await workFolder();
  const parts = { certificates: [client.der] as [Buffer], key: client.privateKey, password, legacy: true };
  await writeFile(join(folder.path, 'a.p12'), writePkcs12(parts));
  await writeFile(join(folder.path, 'stranger.pem'), authority().root.pem);
  const contents = async () => {
    const names = (await readdir(folder.path)).toSorted();
    return Promise.all(names.map(async (name) => [name, await folder.read(name)] as const));
  };
  const before = await contents();
  const result = await folder.run(args);
  expect([result.code, result.stdout]).toEqual([64, '']);
  if (message.startsWith('error:')) expect(result.stderr.startsWith(message)).toBe(true);
  else expect(result.stderr).toBe(message);
  expectNoSecret(result);
  expect(await contents()).toEqual(before);
});
