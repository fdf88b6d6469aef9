/** `certs csr`, run as a process: the files that it writes, and what stays if it fails or is killed. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { openssl } from '../support/pki/tool.ts';
import { runCommand } from '../support/process/command.ts';

const preload = new URL('../support/process/preload-kill.ts', import.meta.url);
const subject = '/C=GB/O=Example Limited/OU=7a3c-11/CN=b91d-22';
const csr = ['certs', 'csr', '--subject', subject, '--key', 'ec:P-256'];
const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

it('writes a request that openssl verifies, signed by the key beside it, and says what to do with both', async () => {
  await using folder = await temporaryFolder();
  const cwd = folder.path;
  const args = ['certs', 'csr', '--subject', subject, '--out', 'app-rtstransport'];
  const { code, stdout, stderr } = await runCommand(args, { cwd });
  expect([code, stderr]).toEqual([0, '']);
  const text = openssl(['req', '-in', 'app-rtstransport.csr', '-verify', '-noout', '-text'], { cwd });
  expect(text).toContain('Subject: C = GB, O = Example Limited, OU = 7a3c-11, CN = b91d-22');
  expect(text).toContain('Public-Key: (2048 bit)');
  const keyOf = (...source: string[]) => openssl([...source, '-pubout'], { cwd });
  expect(openssl(['req', '-in', 'app-rtstransport.csr', '-noout', '-pubkey'], { cwd })).toBe(
    keyOf('pkey', '-in', 'app-rtstransport.key'),
  );
  expect(stdout).toContain('app-rtstransport.csr  the request: upload it');
  expect(stdout).toContain('New Certificate > Transport. Upload app-rtstransport.csr.');
  expect(stdout).not.toContain('\u001b');
});

it('the request can be issued: the certificate fits the key', async () => {
  await using folder = await temporaryFolder();
  const cwd = folder.path;
  await runCommand([...csr, '--out', 'a'], { cwd });
  openssl(
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-subj',
      '/CN=CA',
      '-keyout',
      'ca.key',
      '-out',
      'ca.pem',
    ],
    { cwd },
  );
  openssl(
    [
      'x509',
      '-req',
      '-in',
      'a.csr',
      '-CA',
      'ca.pem',
      '-CAkey',
      'ca.key',
      '-copy_extensions',
      'copy',
      '-out',
      'a.pem',
    ],
    { cwd },
  );
  const certificate = new X509Certificate(await readFile(join(cwd, 'a.pem')));
  expect(certificate.checkPrivateKey(createPrivateKey(await readFile(join(cwd, 'a.key'))))).toBe(true);
  expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
});

it('prints one JSON document with --json', async () => {
  await using folder = await temporaryFolder();
  const args = [
    'certs',
    'csr',
    '--subject',
    '/C=GB/CN=a',
    '--key',
    'ec:P-384',
    '--type',
    'signing',
    '--out',
    'a',
    '--json',
  ];
  const { stdout } = await runCommand(args, { cwd: folder.path });
  expect(JSON.parse(stdout)).toEqual({
    request: 'a.csr',
    key: 'a.key',
    type: 'signing',
    subject: [
      { type: 'C', value: 'GB' },
      { type: 'CN', value: 'a' },
    ],
    key_type: 'ec:P-384',
    key_encrypted: false,
    key_usage: ['digitalSignature', 'nonRepudiation'],
    hosts: [],
    missing: ['O', 'OU'],
  });
});

it('makes a request for the certificate of a server, with its names', async () => {
  await using folder = await temporaryFolder();
  const args = [
    'certs',
    'csr',
    '--type',
    'server',
    '--subject',
    '/C=GB/CN=ehi.example.com',
    '--key',
    'ec:P-256',
  ];
  const { code, stdout } = await runCommand(
    [...args, '--dns', 'ehi.example.com', '192.0.2.7', '--out', 'ehi'],
    {
      cwd: folder.path,
    },
  );
  expect(code).toBe(0);
  const text = openssl(['req', '-in', 'ehi.csr', '-verify', '-noout', '-text'], { cwd: folder.path });
  expect(text).toContain('DNS:ehi.example.com, IP Address:192.0.2.7');
  expect(stdout).toContain('Names      ehi.example.com, 192.0.2.7\n');
  expect(stdout).toContain('1. Give ehi.csr to a public CA');
  expect(stdout).not.toContain('The portals expect');
});

it('warns of a subject that the portals do not expect', async () => {
  await using folder = await temporaryFolder();
  const args = ['certs', 'csr', '--subject', '/C=GB/CN=a', '--key', 'ec:P-256', '--out', 'a'];
  const { stdout, code } = await runCommand(args, { cwd: folder.path });
  expect(stdout).toContain('! The portals expect C, O, OU and CN; the subject lacks O, OU.');
  expect(code).toBe(0);
});

it('encrypts the key with the first line of the passphrase file, so that openssl and Node open it with that alone', async () => {
  await using folder = await temporaryFolder();
  const cwd = folder.path;
  await writeFile(join(cwd, 'phrase'), 'pässphrase-1\r\nsecond line\n');
  const { code, stdout, stderr } = await runCommand([...csr, '--out', 'a', '--passphrase-file', 'phrase'], {
    cwd,
  });
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).not.toContain('pässphrase-1');
  const pem = await readFile(join(cwd, 'a.key'), 'utf8');
  expect(pem).toMatch(/^-----BEGIN ENCRYPTED PRIVATE KEY-----\n/);
  createPrivateKey({ key: pem, passphrase: 'pässphrase-1' });
  expect(() => createPrivateKey({ key: pem, passphrase: 'pässphrase-2' })).toThrow();
  await writeFile(join(cwd, 'line'), 'pässphrase-1');
  openssl(['pkey', '-in', 'a.key', '-passin', 'file:line', '-noout'], { cwd });
  const structure = openssl(['asn1parse', '-in', 'a.key'], { cwd });
  for (const name of ['PBES2', 'PBKDF2', 'hmacWithSHA256', 'aes-256-cbc'])
    expect(structure).toContain(`:${name}`);
  // 600,000 iterations.
  expect(structure).toContain('INTEGER           :0927C0');
});

it.each(['000', '077', '777'])('gives the key mode 0600 with a umask of %s', async (umask) => {
  await using folder = await temporaryFolder();
  await runCommand([...csr, '--out', 'a'], { cwd: folder.path, umask });
  expect(await modeOf(join(folder.path, 'a.key'))).toBe(0o600);
  expect(await modeOf(join(folder.path, 'a.csr'))).toBe(0o644);
});

it.each(['a.key', 'a.csr'])(
  'does not overwrite %s without --force, and then writes neither file',
  async (name) => {
    await using folder = await temporaryFolder();
    const cwd = folder.path;
    await writeFile(join(cwd, name), 'in use');
    const refused = await runCommand([...csr, '--out', 'a'], { cwd });
    expect(refused).toEqual({
      code: 64,
      stdout: '',
      stderr: `${name}: exists already; allowed a new name, or --force to replace it\n`,
    });
    expect(await readdir(cwd)).toEqual([name]);
    expect(await readFile(join(cwd, name), 'utf8')).toBe('in use');
    expect((await runCommand([...csr, '--out', 'a', '--force'], { cwd })).code).toBe(0);
    expect(await readFile(join(cwd, name), 'utf8')).toMatch(/^-----BEGIN /);
    expect(await modeOf(join(cwd, 'a.key'))).toBe(0o600);
  },
);

it.each(['a.key', 'a.csr'])(
  'writes neither file if %s cannot be written, even with --force',
  async (name) => {
    await using folder = await temporaryFolder();
    const cwd = folder.path;
    const another = name === 'a.key' ? 'a.csr' : 'a.key';
    await mkdir(join(cwd, name));
    await writeFile(join(cwd, another), 'in use');
    const { code, stdout, stderr } = await runCommand([...csr, '--out', 'a', '--force'], { cwd });
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(new RegExp(`^${name}: cannot be written \\(E[A-Z]+\\)\n$`));
    expect((await readdir(cwd)).toSorted()).toEqual(['a.csr', 'a.key']);
    expect(await readFile(join(cwd, another), 'utf8')).toBe('in use');
  },
);

it('a kill before any of its file operations leaves whole files or none, and no key without its request', async () => {
  const left: string[][] = [];
  for (let operation = 1, code: number | null = null; code === null; operation++) {
    await using folder = await temporaryFolder();
    const cwd = folder.path;
    const env = { NODE_OPTIONS: `--import=${preload}`, EHI_TEST_KILL_BEFORE: String(operation) };
    ({ code } = await runCommand([...csr, '--out', 'a'], { cwd, env }));
    const names = (await readdir(cwd)).toSorted();
    left.push(names.filter((name) => !name.endsWith('.tmp')));
    if (names.includes('a.csr')) openssl(['req', '-in', 'a.csr', '-verify', '-noout'], { cwd });
    if (names.includes('a.key')) createPrivateKey(await readFile(join(cwd, 'a.key')));
    for (const name of names.filter((each) => each.startsWith('a.key')))
      expect(await modeOf(join(cwd, name))).toBe(0o600);
  }
  // Two drafts and the first link; the second link; the removal of the drafts; the end.
  const both = ['a.csr', 'a.key'];
  expect(left).toEqual([[], [], [], ['a.csr'], both, both, both]);
});

it.each([
  [['--subject', 'CN=a', '--out', 'a'], 'subject: found "CN=a"; allowed a subject that starts with /'],
  [['--subject', '/CN=a\u001b[2J', '--out', 'a'], 'subject: found a control or invisible character in CN'],
  [['--subject', '/X\u001b=a', '--out', 'a'], 'subject: found the type "X\\u{1b}"'],
  [['--subject', subject], "error: required option '--out <name>' not specified"],
  [
    ['--subject', subject, '--out', 'a', '--key', 'rsa:1024'],
    'Allowed choices are rsa:2048, rsa:3072, rsa:4096, ec:P-256, ec:P-384.',
  ],
  [
    ['--subject', subject, '--out', 'a', '--type', 'seal'],
    'Allowed choices are transport, signing, encryption, server.',
  ],
  [
    ['--subject', subject, '--out', 'a', '--passphrase'],
    'passphrase for a.key is needed: give --passphrase-file FILE, or run the command on a terminal',
  ],
  [
    ['--subject', subject, '--out', 'a', '--passphrase-file', 'absent'],
    '--passphrase-file absent: cannot be read (ENOENT)',
  ],
  [['--subject', subject, '--out', 'a', '--passphrase', 'secret'], 'too many arguments'],
  [
    ['--subject', subject, '--out', 'a', '--dns', 'a.example'],
    '--dns: found a request without host names; allowed with --type server and extensions',
  ],
  [
    ['--subject', subject, '--out', 'a', '--type', 'server', '--dns', 'a_b'],
    '--dns: found "a_b"; allowed a host name',
  ],
  [['--subject', subject, '--out', 'absent/a'], 'absent/a.csr: cannot be written (ENOENT)'],
])('exits with 64 and one sentence, without a file, for %j', async (args, message) => {
  await using folder = await temporaryFolder();
  const { code, stdout, stderr } = await runCommand(['certs', 'csr', ...args], { cwd: folder.path });
  expect([code, stdout]).toEqual([64, '']);
  expect(stderr).toContain(message);
  expect(stderr).not.toContain('\u001b');
  expect(stderr).not.toContain('\n    at ');
  expect(await readdir(folder.path)).toEqual([]);
});
