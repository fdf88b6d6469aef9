/** `audit verify` with the real process: what it prints, and its exit codes. */
import { writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type AuditSet, AuditSetWriter, keyPair, writeSet } from '../auditing/verify/audit-set.ts';
import { allCompressions } from '../auditing/verify/verify-set.ts';
import { temporaryFolder } from '../support/folder.ts';
import { runCommand } from '../support/process/command.ts';

const folder = await temporaryFolder();
afterAll(() => folder[Symbol.asyncDispose]());

const publicKey = join(folder.path, 'audit.pub');
beforeAll(() => writeFileSync(publicKey, keyPair.publicKey.export({ type: 'spki', format: 'pem' })));

const verify = (args: readonly string[]) => runCommand(['audit', 'verify', ...args], { cwd: folder.path });

async function filesOf(name: string, set: AuditSet): Promise<string[]> {
  const path = join(folder.path, name);
  await mkdir(path);
  return writeSet(set, { folder: path, compressions: allCompressions });
}

function stoppedSet(): AuditSetWriter {
  const set = new AuditSetWriter().run([
    { do: 'write', lines: 3 },
    { do: 'rotate' },
    { do: 'write', lines: 3 },
    { do: 'rotate' },
    { do: 'write', lines: 3 },
  ]);
  set.seal('stopped');
  return set;
}

test('a sound set exits with 0, and the result says what is not proven', async () => {
  const { code, stdout, stderr } = await verify([
    ...(await filesOf('sound', stoppedSet())),
    '--public-key',
    publicKey,
  ]);
  expect([code, stderr]).toEqual([0, '']);
  expect(stdout).toMatch(/^SOUND: /);
  expect(stdout).toMatch(/files +3\n/);
  expect(stdout).toContain('Not proven');
});

test('an altered set exits with 1, and names the file and the lines', async () => {
  const set = stoppedSet();
  set.files[1]?.splice(1, 1);
  const files = await filesOf('tampered', set);
  const { code, stdout } = await verify([...files, '--public-key', publicKey]);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^TAMPERED: in 1 place/);
  expect(stdout).toContain('lines removed');
  expect(stdout).toMatch(new RegExp(`between ${files[0]}, line 5 .* and ${files[1]}, line 3 `));
});

test('lines after the last seal exit with 2; as JSON the finding has the place of that seal', async () => {
  const set = stoppedSet();
  set.write(2);
  const files = await filesOf('tail', set);
  const { code, stdout } = await verify([...files, '--json']);
  expect(code).toBe(2);
  const document = JSON.parse(stdout);
  expect(document).toMatchObject({ version: 1, verdict: 'incomplete', signatures_checked: false });
  expect(document.findings).toEqual([
    expect.objectContaining({
      ...{ severity: 'gap', kind: 'tail_unsealed', count: 2, to: null },
      from: { file: files[2], line: 4, time: expect.any(String) },
    }),
  ]);
});

test('a file that cannot be read exits with 64, and the error names it', async () => {
  expect(await verify(['none.log'])).toEqual({
    ...{ code: 64, stdout: '', stderr: 'none.log: the file does not exist\n' },
  });
});

test('seals without a signature before a right one exit with 1, and with 2 if that is accepted', async () => {
  const set = new AuditSetWriter({ privateKey: null });
  set.replaceKey(keyPair.privateKey);
  set.run([{ do: 'write', lines: 3 }, { do: 'restart' }]);
  set.seal('stopped');
  const files = await filesOf('keyed', set);
  expect((await verify([...files, '--public-key', publicKey])).code).toBe(1);
  expect((await verify([...files, '--public-key', publicKey, '--accept-confirmed'])).code).toBe(2);
  expect(await verify([...files, '--accept-confirmed'])).toMatchObject({
    ...{ code: 64, stderr: expect.stringContaining('--accept-confirmed: without --public-key') },
  });
});
