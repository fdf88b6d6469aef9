import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { checkOutput, writeOutput, writeOutputs } from '../../src/terminal/output-file.ts';
import { temporaryFolder } from '../support/folder.ts';

const modeOf = async (file: string) => (await stat(file)).mode & 0o777;

it('writes a secret with mode 0600 and other files with 0644, whatever the umask', async () => {
  await using folder = await temporaryFolder();
  for (const umask of [0, 0o077, 0o777]) {
    const key = join(folder.path, `${umask}.key`);
    const request = join(folder.path, `${umask}.csr`);
    const before = process.umask(umask);
    try {
      await writeOutputs([
        { file: key, contents: 'key', secret: true },
        { file: request, contents: 'request' },
      ]);
    } finally {
      process.umask(before);
    }
    expect([await modeOf(key), await modeOf(request)]).toEqual([0o600, 0o644]);
  }
});

it('refuses to replace a file without force, and leaves all files as they were', async () => {
  await using folder = await temporaryFolder();
  const [key, request] = [join(folder.path, 'a.key'), join(folder.path, 'a.csr')];
  await writeFile(request, 'old');
  const outputs = [
    { file: key, contents: 'new', secret: true },
    { file: request, contents: 'new' },
  ];
  await expect(writeOutputs(outputs)).rejects.toThrow(
    `${request}: exists already; allowed a new name, or --force to replace it`,
  );
  expect(await readdir(folder.path)).toEqual(['a.csr']);
  expect(await readFile(request, 'utf8')).toBe('old');
  await writeOutputs(outputs.map((output) => ({ ...output, force: true })));
  expect(await readFile(request, 'utf8')).toBe('new');
  expect((await readdir(folder.path)).sort()).toEqual(['a.csr', 'a.key']);
});

it('leaves none of its files if a later one cannot be written', async () => {
  await using folder = await temporaryFolder();
  const outputs = [
    { file: join(folder.path, 'a.key'), contents: 'new', secret: true },
    { file: join(folder.path, 'missing', 'a.csr'), contents: 'new' },
  ];
  const error = await writeOutputs(outputs).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(UsageError);
  expect(String(error)).toMatch(/missing\/a\.csr: cannot be written \(ENOENT\)$/);
  expect(await readdir(folder.path)).toEqual([]);
});

it('leaves no earlier file and no draft if a name is taken by a folder', async () => {
  await using folder = await temporaryFolder();
  const taken = join(folder.path, 'b.csr');
  await mkdir(taken);
  await chmod(taken, 0o700);
  const outputs = [
    { file: join(folder.path, 'b.key'), contents: 'new', secret: true, force: true },
    { file: taken, contents: 'new', force: true },
  ];
  await expect(writeOutputs(outputs.toReversed())).rejects.toThrow(
    /cannot be written \((EISDIR|ENOTEMPTY|EEXIST)\)/,
  );
  expect(await readdir(folder.path)).toEqual(['b.csr']);
});

it('puts a replaced file back if a later one cannot be written', async () => {
  await using folder = await temporaryFolder();
  const [key, taken] = [join(folder.path, 'c.key'), join(folder.path, 'c.csr')];
  await writeFile(key, 'the key in use', { mode: 0o600 });
  await mkdir(taken);
  const outputs = [
    { file: key, contents: 'new', secret: true, force: true },
    { file: taken, contents: 'new', force: true },
  ];
  await expect(writeOutputs(outputs)).rejects.toThrow(/cannot be written/);
  expect(await readFile(key, 'utf8')).toBe('the key in use');
  expect((await readdir(folder.path)).sort()).toEqual(['c.csr', 'c.key']);
});

it('writes bytes as they are', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'a.p12');
  await writeOutput({ file, contents: Uint8Array.of(0, 255, 10), secret: true });
  expect([...(await readFile(file))]).toEqual([0, 255, 10]);
});

it('refuses a device or pipe also with force: it would be replaced by a file', async () => {
  await using folder = await temporaryFolder();
  const pipe = join(folder.path, 'pipe');
  execFileSync('mkfifo', [pipe]);
  for (const write of [writeOutput, checkOutput])
    await expect(write({ file: pipe, contents: 'new', force: true })).rejects.toThrow(
      `${pipe}: found a device, pipe or socket; allowed a regular file`,
    );
  expect((await stat(pipe)).isFIFO()).toBe(true);
  expect(await readdir(folder.path)).toEqual(['pipe']);
});

describe('in advance', () => {
  it('refuses what could not be written, and leaves nothing', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'a'), 'old');
    const check = (name: string, force = false) => checkOutput({ file: join(folder.path, name), force });
    await expect(check('a')).rejects.toThrow(/a: exists already; allowed a new name, or --force/);
    await expect(check('', true)).rejects.toThrow(/cannot be written \(EISDIR\)/);
    await expect(check('a/b')).rejects.toThrow(/cannot be written \((ENOTDIR|EACCES)\)/);
    await expect(check('absent/b')).rejects.toThrow(/absent\/b: its folder does not exist; allowed a file/);
    await check('a', true);
    await check('b');
    expect(await readdir(folder.path)).toEqual(['a']);
  });

  it('refuses a folder that may not be written to', async ({ skip }) => {
    await using folder = await temporaryFolder();
    await chmod(folder.path, 0o555);
    // The kernel asks root for nothing.
    const user = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
    const module = new URL('../../src/terminal/output-file.ts', import.meta.url);
    // Another user may not be let into the folder that this repository lies in.
    if (spawnSync('test', ['-r', fileURLToPath(module)], user).status !== 0) skip();
    const script = `const { checkOutput } = await import('${module}');
      await checkOutput({ file: 'a' }).catch(({ message }) => console.log(message));`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
      ...{ cwd: folder.path, encoding: 'utf8' },
      ...user,
    });
    expect(stdout).toBe('a: cannot be written (EACCES)\n');
  });
});
