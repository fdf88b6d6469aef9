/** Where the operational log cannot be written: lines are dropped and counted, and the process goes on. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-'));
});
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a program with the log on its stderr; it reports on stdout. */
function run(program: string, stderr: 'pipe' | number) {
  const module = new URL('../../src/telemetry/logger.ts', import.meta.url).href;
  const source = `import { openLog } from ${JSON.stringify(module)};
    const log = openLog();
    const report = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
    ${program}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['pipe', 'pipe', stderr],
  });
  children.push(child);
  if (child.stdout === null) throw new Error('stdout is a pipe');
  return { child, report: text(child.stdout), closed: once(child, 'close') };
}

const many = `for (let n = 0; n < 5_000; n++) log.logger.info({ n, filler: 'x'.repeat(900) }, 'line');`;

it('does not wait for an unread pipe, queues a bounded part, and reports the number of dropped lines once it is read', async () => {
  const { child, closed } = run(
    `${many}
     report(log.linesDropped());
     process.stdin.resume().once('end', () => process.exit());`,
    'pipe',
  );
  const [reported] = await once(child.stdout as NodeJS.ReadableStream, 'data');
  const dropped = JSON.parse(`${reported}`);
  // 5 MB of lines; 1 MiB of them waits, and what the pipe and this process hold.
  expect(dropped).toBeGreaterThan(2_000);
  let got = '';
  const recovered = Promise.withResolvers<void>();
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
    got += chunk;
    if (got.includes('"dropped"') && got.endsWith('\n')) recovered.resolve();
  });
  await recovered.promise;
  child.stdin?.end();
  await closed;
  const lines = got
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(lines.at(-1)).toMatchObject({ level: 40, dropped });
  expect(lines.slice(0, -1).map(({ n }) => n)).toEqual(Array.from({ length: 5_000 - dropped }, (_, n) => n));
});

it('continues and counts dropped lines when the reader of the pipe has ended', async () => {
  const { child, report, closed } = run(
    `process.stdin.once('data', () => {
       log.logger.info('first'); 
       setImmediate(() => { log.logger.info('second'); setImmediate(() => { report(log.linesDropped()); process.exit(); }); });
     });`,
    'pipe',
  );
  child.stderr?.destroy();
  child.stdin?.write('go');
  await closed;
  expect(child.exitCode).toBe(0);
  expect(JSON.parse(await report)).toBe(2);
});

it.runIf(process.platform === 'linux')('goes on, and counts, on a full disk', async () => {
  const full = openSync('/dev/full', 'w');
  const { child, report, closed } = run(
    `for (let n = 0; n < 3; n++) log.logger.error('line');
     report(log.linesDropped());`,
    full,
  );
  closeSync(full);
  await closed;
  expect(child.exitCode).toBe(0);
  expect(JSON.parse(await report)).toBe(3);
});

it('reports the number of dropped lines on its own line once there is room again', async () => {
  // A file of limited size stands for a full disk: the limit is taken away as space is made.
  const file = join(folder, 'log');
  const opened = openSync(file, 'a');
  const { child, closed } = run(
    `import { execFileSync } from 'node:child_process';
     const limit = (bytes) => execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=' + bytes + ':']);
     process.on('SIGXFSZ', () => {});
     limit(100);
     for (let n = 0; n < 4; n++) log.logger.info({ n }, 'line');
     limit('unlimited');
     log.logger.info('after');`,
    opened,
  );
  closeSync(opened);
  await closed;
  expect(child.exitCode).toBe(0);
  const lines = execFileSync('cat', [file], { encoding: 'utf8' }).trim().split('\n');
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ n: 0 });
  // Half of the second: no line follows it on the same one.
  expect(lines[1]).toMatch(/^\{"level":30,[^}]*$/);
  expect(lines.slice(2).map((line) => JSON.parse(line))).toMatchObject([{ msg: 'after' }, { dropped: 3 }]);
});

it('writes synchronously if it can: the last line before the process ends is not lost', async () => {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', [path]);
  const pipe = openSync(path, constants.O_RDWR);
  const { closed } = run(`log.logger.fatal('the last word'); process.kill(process.pid, 'SIGKILL');`, pipe);
  await closed;
  const bytes = Buffer.alloc(1000);
  expect(bytes.toString('utf8', 0, readSync(pipe, bytes))).toContain('the last word');
  closeSync(pipe);
});
