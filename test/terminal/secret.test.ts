import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { readSecret } from '../../src/terminal/secret.ts';
import { temporaryFolder } from '../support/folder.ts';

const run = promisify(execFile);
const option = '--password-file';
const name = 'password of client.p12';

it.each([
  ['first\nsecond\n', 'first'],
  ['with spaces \r\n', 'with spaces '],
  ['no line end', 'no line end'],
  ['pässwörd\n', 'pässwörd'],
])('reads the first line of a file: %j', async (content, secret) => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'secret');
  await writeFile(file, content);
  expect(await readSecret({ name, option, file })).toBe(secret);
});

it.each([
  ['', /the first line is empty/],
  ['\nsecret\n', /the first line is empty/],
  ['x'.repeat(5000), /found more than 4096 bytes; allowed at most 4096/],
])('refuses a file without a usable first line', async (content, message) => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'secret');
  await writeFile(file, content);
  await expect(readSecret({ name, option, file })).rejects.toThrow(message);
});

it('names the option and the file that cannot be read', async () => {
  const reading = readSecret({ name, option, file: '/no/such/file' });
  await expect(reading).rejects.toThrow('--password-file /no/such/file: cannot be read (ENOENT)');
});

it('stops at its limit in a file without an end', async () => {
  await expect(readSecret({ name, option, file: '/dev/zero' })).rejects.toThrow(
    '--password-file /dev/zero: found more than 4096 bytes; allowed at most 4096',
  );
});

it('escapes what the name of a file could do to a terminal', async () => {
  await expect(readSecret({ name, option, file: '/no/\u001b[2J' })).rejects.toThrow('/no/\\u{1b}[2J: cannot');
});

it('names the option if there is neither a file nor a terminal', async () => {
  const script = `import { readSecret } from './src/terminal/secret.ts';
    await readSecret({ name: '${name}', option: '${option}' }).catch((error) => console.log(error.message));`;
  const running = run(process.execPath, ['--input-type=module', '-e', script]);
  running.child.stdin?.end('secret\n');
  const { stdout } = await running;
  expect(stdout).toBe(`the ${name} is needed: give ${option} FILE, or run the command on a terminal\n`);
});
