/** `certs dev`, run as a process: a site that openssl verifies and that a gateway starts with. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { createAuthority } from '../../src/issuing/development.ts';
import { temporaryFolder } from '../support/folder.ts';
import { statusOf } from '../support/http/http.ts';
import { openssl } from '../support/pki/tool.ts';
import { post, send } from '../support/process/client.ts';
import { runCommand } from '../support/process/command.ts';
import { startGateway } from '../support/process/gateway.ts';
import { openHost } from '../support/process/host.ts';

const names = [
  ...['client.key', 'client.pem', 'gateway.yaml', 'issuing.crl', 'issuing.pem'],
  ...['root.crl', 'root.pem', 'server.key', 'server.pem'],
];

it('writes certificates and CRLs that openssl verifies, and keys that only their owner can read', async () => {
  await using folder = await temporaryFolder();
  const cwd = folder.path;
  const { code, stdout, stderr } = await runCommand(['certs', 'dev', '--out', 'site/dev'], {
    cwd,
    umask: '000',
  });
  expect([code, stderr]).toEqual([0, '']);
  const site = join(cwd, 'site/dev');
  expect((await readdir(site)).toSorted()).toEqual(names);
  for (const name of names.filter((each) => each.endsWith('.key')))
    expect((await stat(join(site, name))).mode & 0o777).toBe(0o600);
  expect((await stat(site)).mode & 0o777).toBe(0o700);
  for (const [leaf, purpose] of [
    ['server.pem', 'sslserver'],
    ['client.pem', 'sslclient'],
  ] as const) {
    const crls = ['-crl_check_all', '-CRLfile', 'issuing.crl', '-CRLfile', 'root.crl'];
    const chain = ['-CAfile', 'root.pem', '-untrusted', 'issuing.pem'];
    expect(
      openssl(['verify', '-x509_strict', '-purpose', purpose, ...chain, ...crls, leaf], { cwd: site }),
    ).toBe(`${leaf}: OK\n`);
    const keyOf = openssl(['pkey', '-in', leaf.replace('.pem', '.key'), '-pubout'], { cwd: site });
    expect(openssl(['x509', '-in', leaf, '-noout', '-pubkey'], { cwd: site })).toBe(keyOf);
  }
  expect(stdout).toContain('ehi-gateway run --config site/dev/gateway.yaml');
});

it('writes a configuration without errors and warnings', async () => {
  await using folder = await temporaryFolder();
  const cwd = folder.path;
  await runCommand(['certs', 'dev', '--out', '.', '--json'], { cwd });
  const checked = await runCommand(['check', '--strict', '--elsewhere', '--config', 'gateway.yaml'], { cwd });
  expect(checked).toMatchObject({ code: 0, stderr: '' });
});

it('a gateway with them admits the client, and no other', async () => {
  await using folder = await temporaryFolder();
  await runCommand(['certs', 'dev', '--out', '.'], { cwd: folder.path });
  const read = async (name: string) => [name, await readFile(join(folder.path, name), 'utf8')] as const;
  const texts = Object.fromEntries(
    await Promise.all(names.filter((name) => !name.endsWith('.crl')).map(read)),
  );
  const crls = await Promise.all(
    ['root.crl', 'issuing.crl'].map(async (name) => [name, await readFile(join(folder.path, name))] as const),
  );
  const written = parse(texts['gateway.yaml'] ?? '');
  await using host = await openHost();
  await using gateway = await startGateway({
    config: {
      ...written,
      // Free ports, and this test's host.
      ...{ listen: { ...written.listen, port: 0 }, admin: { ...written.admin, port: 0 } },
      routes: [{ path: '/', upstream: `http://127.0.0.1:${host.port}` }],
    },
    files: { ...texts, ...Object.fromEntries(crls) },
  });
  const leaf = { chainPem: texts['client.pem'] ?? '', keyPem: texts['client.key'] ?? '' };
  const to = { port: gateway.port, ca: texts['root.pem'] ?? '' };
  expect(statusOf(await send({ ...to, leaf }, post()))).toBe(200);
  expect(
    statusOf(await send({ ...to, leaf: createAuthority({ name: 'Development' }).issueClient() }, post())),
  ).toBe(403);
});

it('leaves a folder with one of its files as it was, without --force', async () => {
  await using folder = await temporaryFolder();
  const cwd = folder.path;
  await mkdir(join(cwd, 'dev'));
  await writeFile(join(cwd, 'dev/root.crl'), 'in use');
  const refused = await runCommand(['certs', 'dev', '--out', 'dev'], { cwd });
  expect(refused).toEqual({
    code: 64,
    stdout: '',
    stderr: 'dev/root.crl: exists already; allowed a new name, or --force to replace it\n',
  });
  expect(await readdir(join(cwd, 'dev'))).toEqual(['root.crl']);
  const { stdout } = await runCommand(['certs', 'dev', '--out', 'dev', '--force', '--json'], { cwd });
  const { files } = JSON.parse(stdout);
  expect(files.toSorted()).toEqual(names.map((name) => `dev/${name}`));
  expect(await readFile(join(cwd, 'dev/root.crl'), 'latin1')).not.toBe('in use');
});

it('names a folder that cannot be made', async () => {
  await using folder = await temporaryFolder();
  await writeFile(join(folder.path, 'file'), '');
  const { code, stderr } = await runCommand(['certs', 'dev', '--out', 'file/dev'], { cwd: folder.path });
  expect([code, stderr]).toEqual([64, 'file/dev: cannot be made (ENOTDIR)\n']);
});
