import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../support/folder.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** Runs until it has printed its curl lines. */
async function startDemo(folder: string) {
  const node = process.env.NODE_UNDER_TEST ?? process.execPath;
  const demo = spawn(node, [main, 'demo'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(demo, 'close');
  const log = text(demo.stderr);
  const records: { type: string; stage?: string; verdict?: string; reason?: string }[] = [];
  const lines: string[] = [];
  const output = createInterface({ input: demo.stdout });
  output.on('line', (line) => {
    if (line.startsWith('{')) records.push(JSON.parse(line));
    if (line.startsWith('curl ')) lines.push(line);
  });
  const closed = new AbortController();
  output.on('close', () => closed.abort());
  while (lines.length < 6) await once(output, 'line', { signal: closed.signal });
  /** Exit code and signal, and what it has logged above the level of information. */
  const stop = async () => {
    demo.kill('SIGTERM');
    const exit = await ended;
    const entries = (await log).split('\n').filter((line) => line !== '');
    return { exit, warnings: entries.filter((line) => JSON.parse(line).level > 30) };
  };
  return { lines, records, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

/** The status of each answer that the line gets, and everything that it prints. */
async function run(line = ''): Promise<{ statuses: number[]; page: string }> {
  const curl = spawn('sh', ['-c', line], { stdio: ['ignore', 'pipe', 'ignore'] });
  const page = await text(curl.stdout);
  return { statuses: [...page.matchAll(/^HTTP\/1\.1 (\d+) /gm)].map(([, status]) => Number(status)), page };
}

it('prints curl commands that work as printed, in order, without warnings', async () => {
  await using folder = await temporaryFolder();
  await using demo = await startDemo(folder.path);
  const answers = [];
  for (const line of demo.lines) answers.push(await run(line));
  expect(answers.map(({ statuses }) => statuses)).toEqual([
    [200],
    [400],
    [403],
    [403],
    [200, 204, 403],
    [204],
  ]);
  expect(answers[0]?.page).toContain('"Acknowledgement":"1"');
  expect(answers[1]?.page).toContain('400 No required SSL certificate was sent');
  expect((await run(demo.lines[0])).statuses).toEqual([200]);

  expect(await demo.stop()).toEqual({ exit: [0, null], warnings: [] });
  const { records } = demo;
  const reasons = records.flatMap(({ type, reason }) => (type === 'handshake' ? [reason] : []));
  expect(reasons).toEqual([null, 'no_certificate', 'untrusted', 'revoked', null, 'revoked', null]);
  expect(records.filter(({ type }) => type === 'verdict')).toMatchObject([
    { stage: 'live', verdict: 'deny', reason: 'revoked' },
  ]);
});

it('runs beside another demo in the same folder, each with its own certificates', async () => {
  await using folder = await temporaryFolder();
  await using first = await startDemo(folder.path);
  await using second = await startDemo(folder.path);
  const folders = [first, second].map(({ lines }) => /--cert (\S+)\//.exec(lines[0] ?? '')?.[1] ?? '');
  expect(new Set(folders).size).toBe(2);
  for (const demo of [first, second, first]) {
    expect((await run(demo.lines[0])).statuses).toEqual([200]);
    expect((await run(demo.lines[3])).statuses).toEqual([403]);
  }
  // A folder that no later start would use again goes with its demo.
  for (const demo of [second, first]) expect(await demo.stop()).toEqual({ exit: [0, null], warnings: [] });
  const left = await readdir(join(folder.path, 'certs'));
  expect(left.filter((name) => name !== 'dev')).toEqual([]);
});

it('starts again in the same folder, with every certificate in its first state', async () => {
  await using folder = await temporaryFolder();
  await using before = await startDemo(folder.path);
  expect((await run(before.lines[4])).statuses).toEqual([200, 204, 403]);
  await before.stop();

  await using demo = await startDemo(folder.path);
  expect((await run(demo.lines[0])).statuses).toEqual([200]);
  expect((await run(demo.lines[3])).statuses).toEqual([403]);
  expect(await demo.stop()).toEqual({ exit: [0, null], warnings: [] });
});
