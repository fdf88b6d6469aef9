/** `certs audit-key`, run as a process. */
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { keyIdOf } from '../../src/audit/seals/seal.ts';
import { temporaryFolder } from '../support/folder.ts';
import { runCommand } from '../support/process/command.ts';

const command = ['certs', 'audit-key', '--out', 'audit'];

it('writes an Ed25519 key for its owner only, whatever the umask, and its public key', async () => {
  await using folder = await temporaryFolder();
  const cwd = folder.path;
  const { code, stdout, stderr } = await runCommand(command, { cwd, umask: '000' });
  expect([code, stderr]).toEqual([0, '']);
  const [key, publicKey] = await Promise.all(
    ['key', 'pub'].map((end) => readFile(join(cwd, `audit.${end}`), 'utf8')),
  );
  const privateKey = createPrivateKey(key ?? '');
  expect(key).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
  expect(privateKey.asymmetricKeyType).toBe('ed25519');
  expect(createPublicKey(privateKey).equals(createPublicKey(publicKey ?? ''))).toBe(true);
  expect((await stat(join(cwd, 'audit.key'))).mode & 0o777).toBe(0o600);
  expect(stdout).toContain(keyIdOf(createPublicKey(privateKey)));
  expect(stdout).not.toContain('BEGIN');
});

it('prints one JSON document with --json', async () => {
  await using folder = await temporaryFolder();
  const { stdout } = await runCommand([...command, '--json'], { cwd: folder.path });
  expect(JSON.parse(stdout)).toEqual({
    key: 'audit.key',
    public_key: 'audit.pub',
    key_id: expect.stringMatching(/^[\da-f]{16}$/),
  });
});

it.each(['audit.key', 'audit.pub'])(
  'writes neither file if %s exists, but replaces it with --force',
  async (name) => {
    await using folder = await temporaryFolder();
    const cwd = folder.path;
    await writeFile(join(cwd, name), 'kept');
    const refused = await runCommand(command, { cwd });
    expect(refused.code).toBe(64);
    expect(refused.stderr).toContain(`${name}: exists already`);
    expect(await readdir(cwd)).toEqual([name]);
    expect(await readFile(join(cwd, name), 'utf8')).toBe('kept');
    expect((await runCommand([...command, '--force'], { cwd })).code).toBe(0);
    expect((await readdir(cwd)).sort()).toEqual(['audit.key', 'audit.pub']);
  },
);
