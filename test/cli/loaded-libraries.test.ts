/** Which libraries a command loads: each is loaded where it is used, so that the other commands start as fast as before. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';
import { statusOf } from '../support/http/http.ts';
import { post } from '../support/process/client.ts';
import { sources } from '../support/process/program.ts';
import { openStage } from '../support/process/stage.ts';

const preload = new URL('../support/process/preload-libraries.ts', import.meta.url);

const environment = (file: string) => ({ NODE_OPTIONS: `--import=${preload}`, EHI_TEST_LIBRARIES: file });

async function librariesIn(file: string): Promise<string[]> {
  const lines = (await readFile(file, 'utf8')).split('\n');
  return [...new Set(lines)].filter((line) => line !== '').sort();
}

it('--version and help load the command line parser alone', async () => {
  await using folder = await temporaryFolder();
  for (const args of [['--version'], ['--help'], ['certs', '--help']]) {
    const file = join(folder.path, args.join('-'));
    await promisify(execFile)(process.execPath, [sources, ...args], {
      env: { ...process.env, ...environment(file) },
    });
    expect(await librariesIn(file), args.join(' ')).toEqual(['commander']);
  }
});

it('run loads what the gateway needs, in each of its threads, and no library of another command', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'libraries');
  await using stage = await openStage({ program: sources, env: environment(file) });
  expect(statusOf(await stage.send(post()))).toBe(200);
  const libraries = await librariesIn(file);
  expect(libraries).toContain('yaml');
  const others = ['node-forge', '@peculiar/x509', 'tsyringe', 'reflect-metadata', '@peculiar/asn1-csr'];
  expect(libraries.filter((library) => others.includes(library))).toEqual([]);
});
