import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { temporaryFolder } from '../support/folder.ts';
import { program } from '../support/process/program.ts';

interface AuditLine {
  readonly type: string;
  readonly stage?: string;
  readonly verdict?: string;
  readonly reason?: string;
}

/** Runs until it has printed its curl lines. */
async function startDemo(folder: string, ...options: string[]) {
  const node = process.env.NODE_UNDER_TEST ?? process.execPath;
  const demo = spawn(node, [program, 'demo', ...options], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(demo, 'close');
  const log = text(demo.stderr);
  const screen: string[] = [];
  const lines: string[] = [];
  const output = createInterface({ input: demo.stdout });
  output.on('line', (line) => {
    screen.push(line);
    if (line.startsWith('curl ')) lines.push(line);
  });
  const closed = new AbortController();
  output.on('close', () => closed.abort());
  while (!screen.some((line) => line.includes('Ctrl-C')))
    await once(output, 'line', { signal: closed.signal });
  /** Exit code and signal, and what it has logged above the level of information. */
  const stop = async () => {
    demo.kill('SIGTERM');
    const exit = await ended;
    const entries = (await log).split('\n').filter((line) => line !== '');
    return { exit, warnings: entries.filter((line) => JSON.parse(line).level > 30), entries };
  };
  return { lines, screen, stop, [Symbol.asyncDispose]: async () => void (await stop()) };
}

/** The folder of a demo: another one runs in its own. */
function folderOf({ lines }: { readonly lines: readonly string[] }): string {
  return /--cert (\S+)\//.exec(lines[0] ?? '')?.[1] ?? '';
}

/** The records, once there are so many of handshakes: they are written in batches. */
async function readRecords(folder: string, handshakes: number): Promise<AuditLine[]> {
  const read = async () => {
    const log = await readFile(join(folder, 'audit.log'), 'utf8');
    const lines = log.split('\n').slice(0, -1);
    return lines.map((line): AuditLine => JSON.parse(line));
  };
  return eventually(read, (found) => found.filter(({ type }) => type === 'handshake').length >= handshakes);
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
  const [first = ''] = demo.screen.filter((line) => line !== '');
  const page = await fetch(/in a browser: (http:\S+)/.exec(first)?.[1] ?? '');
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
  const answers = [];
  for (const line of demo.lines) answers.push(await run(line));
  expect(answers.map(({ statuses }) => statuses)).toEqual([
    [200],
    [400],
    [403],
    [403],
    [200, 204, 403],
    [204],
    [401],
    [],
    [200],
    [401],
  ]);
  expect(answers[0]?.page).toContain('"Acknowledgement":"1"');
  expect(answers[1]?.page).toContain('400 No required SSL certificate was sent');
  expect((await run(demo.lines[0])).statuses).toEqual([200]);

  const records = await readRecords(folderOf(demo), 10);
  expect(await demo.stop()).toMatchObject({ exit: [0, null], warnings: [] });
  const reasons = records.flatMap(({ type, reason }) => (type === 'handshake' ? [reason] : []));
  expect(reasons).toEqual([
    null,
    'no_certificate',
    'untrusted',
    'revoked',
    null,
    'revoked',
    null,
    null,
    null,
    null,
  ]);
  expect(records.filter(({ type }) => type === 'verdict')).toMatchObject([
    { stage: 'live', verdict: 'deny', reason: 'revoked' },
  ]);
});

it('runs beside another demo in the same folder, each with its own certificates', async () => {
  await using folder = await temporaryFolder();
  await using first = await startDemo(folder.path);
  await using second = await startDemo(folder.path);
  const folders = [first, second].map(folderOf);
  expect(new Set(folders).size).toBe(2);
  for (const demo of [first, second, first]) {
    expect((await run(demo.lines[0])).statuses).toEqual([200]);
    expect((await run(demo.lines[3])).statuses).toEqual([403]);
  }
  // A folder that no later start would use again goes with its demo.
  for (const demo of [second, first])
    expect(await demo.stop()).toMatchObject({ exit: [0, null], warnings: [] });
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
  expect(await demo.stop()).toMatchObject({ exit: [0, null], warnings: [] });
});

it('shows one calm screen: what runs where, the commands, how to follow the records and how to end it', async () => {
  await using folder = await temporaryFolder();
  await using demo = await startDemo(folder.path);
  await run(demo.lines[0]);
  await run(demo.lines[1]);
  const records = await readRecords(folderOf(demo), 2);
  expect(await demo.stop()).toMatchObject({ exit: [0, null], entries: [] });
  const screen = demo.screen.join('\n');
  expect(demo.screen.filter((line) => line.startsWith('{'))).toEqual([]);
  for (const what of ['gateway', 'example host', 'demo CA', 'metrics', 'configuration', 'audit records'])
    expect(screen).toMatch(new RegExp(`^${what} +\\S`, 'm'));
  expect(screen).toMatch(/^audit records +certs\/dev\S*\/audit\.log +follow them: tail -F \S+audit\.log$/m);
  expect(demo.screen.findLast((line) => line !== '')).toBe('Press Ctrl-C to end the demo.');
  expect(records.filter(({ type }) => type === 'handshake')).toHaveLength(2);
});

it('prints a line that simulates a sender and works as printed', async () => {
  await using folder = await temporaryFolder();
  await using demo = await startDemo(folder.path);
  const line = demo.screen.find((each) => each.includes(' simulate ')) ?? '';
  const { page } = await run(line.replace('--duration 10s', '--duration 200ms --timeout 20s'));
  expect(page).toContain('all 10 messages were acknowledged.');
});

it('prints records and log with --verbose', async () => {
  await using folder = await temporaryFolder();
  await using demo = await startDemo(folder.path, '--verbose');
  await run(demo.lines[0]);
  const written = await readdir(folderOf(demo));
  const { exit, entries } = await demo.stop();
  expect(exit).toEqual([0, null]);
  expect(entries.length).toBeGreaterThan(0);
  const types = demo.screen.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line).type);
  expect(types).toEqual(expect.arrayContaining(['ready', 'handshake', 'message']));
  expect(written).not.toContain('audit.log');
});
