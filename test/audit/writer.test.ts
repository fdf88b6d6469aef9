import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import {
  closeSync,
  constants,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAuditWriter } from '../../src/audit/writer.ts';
import type { AuditEvent } from '../../src/audit/writer-event.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'audit-'));
});
const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function unexpected(event: AuditEvent): never {
  throw new Error(JSON.stringify(event));
}

/** A writer, its events, and a promise for the first event of a kind. */
async function opened(destination: string, options: { stallMs?: number } = {}) {
  const events: AuditEvent[] = [];
  const changed = new EventEmitter();
  const writer = await openAuditWriter({
    ...options,
    destination,
    onEvent: (event) => {
      events.push(event);
      changed.emit('event');
    },
  });
  const happened = async (type: AuditEvent['type']) => {
    while (!events.some((event) => event.type === type)) await once(changed, 'event');
  };
  return { writer, events, happened };
}

describe('the audit writer', () => {
  it('appends to its file in order, and creates it for its owner and group only', async () => {
    const destination = join(folder, 'audit.jsonl');
    const before = process.umask(0);
    const writer = await openAuditWriter({ destination, onEvent: unexpected });
    process.umask(before);
    const lines = Array.from({ length: 5_000 }, (_, index) => `{"n":${index}}\n`);
    for (const line of lines.slice(0, 2_500)) writer.write(line);
    await writer.flush();
    expect(readFileSync(destination, 'utf8')).toBe(lines.slice(0, 2_500).join(''));
    for (const line of lines.slice(2_500)) writer.write(line);
    await writer.close();
    expect(readFileSync(destination, 'utf8')).toBe(lines.join(''));
    expect(statSync(destination).mode & 0o777).toBe(0o640);
    expect(writer.lost).toBe(0);
  });

  it('appends to existing content', async () => {
    const destination = join(folder, 'audit.jsonl');
    writeFileSync(destination, 'before\n');
    const writer = await openAuditWriter({ destination, onEvent: unexpected });
    writer.write('after\n');
    await writer.close();
    expect(readFileSync(destination, 'utf8')).toBe('before\nafter\n');
  });

  it.each([
    ['a folder that does not exist', 'missing/audit.jsonl', /its folder does not exist/],
    ['a folder', '.', /EISDIR/],
  ])('refuses %s', async (_title, path, says) => {
    await expect(
      openAuditWriter({ destination: join(folder, path), onEvent: unexpected }),
    ).rejects.toMatchObject({
      code: 'AUDIT_DESTINATION',
      message: expect.stringMatching(says),
    });
  });

  it('flushes at once when there is nothing to write', async () => {
    const writer = await openAuditWriter({ destination: join(folder, 'audit.jsonl'), onEvent: unexpected });
    await writer.flush();
    await writer.close();
    await writer.close();
  });

  it('loses and counts records beyond 64 MiB, reports it, and writes the queued ones', async () => {
    const destination = join(folder, 'audit.jsonl');
    const { writer, events } = await opened(destination);
    const batch = `${'x'.repeat(1024 * 1024 - 2)}\n\n`;
    for (let index = 0; index < 70; index++) writer.write(batch);
    expect(writer.lost).toBe(12);
    // The time of `close` is limited.
    await writer.flush();
    await writer.close();
    expect(statSync(destination).size).toBe(64 * 1024 * 1024);
    expect(events.map(({ type }) => type)).toEqual(['failing', 'full', 'recovered']);
    expect(events.at(-1)).toMatchObject({ lost: 12 });
    writer.write('too late\n');
    expect(writer.lost).toBe(13);
  });

  it('calls done once when bytes are written, joined with others, or lost', async () => {
    const destination = join(folder, 'audit.jsonl');
    const { writer } = await opened(destination);
    const done: string[] = [];
    const write = (name: string, bytes: Buffer = Buffer.from(`${name}\n`)) =>
      writer.write(bytes, () => {
        done.push(name);
        // As by who has them back.
        bytes.fill('?');
      });
    write('first');
    write('second');
    write('third');
    write('beyond', Buffer.alloc(64 * 1024 * 1024, '\n'));
    write('nothing', Buffer.alloc(0));
    expect(done).toEqual(['beyond', 'nothing']);
    await writer.flush();
    expect(done).toEqual(['beyond', 'nothing', 'first', 'second', 'third']);
    expect(readFileSync(destination, 'utf8')).toBe('first\nsecond\nthird\n');
    await writer.close();
    write('late');
    expect(done.slice(5)).toEqual(['late']);
  });

  // A device that is always full; Linux has it.
  it.runIf(process.platform === 'linux')(
    'reports a full disk once, keeps trying, and counts what it lost when it closes',
    async () => {
      const { writer, events, happened } = await opened('/dev/full');
      writer.write('one\n');
      await happened('failing');
      writer.write('two\nthree\n');
      expect(writer.lost).toBe(0);
      expect(writer.queuedBytes).toBe(14);
      expect(writer.failingSince).toEqual(expect.any(Number));
      await writer.close();
      expect(events).toMatchObject([{ type: 'failing', error: { code: 'ENOSPC' }, records: 'kept' }]);
      expect(writer.lost).toBe(3);
    },
  );

  it('reports lost records once 64 MiB wait, and at recovery how many it kept and lost', async () => {
    const destination = join(folder, 'audit.jsonl');
    const { writer, events, happened } = await opened(destination);
    // A folder in the file's place: nothing can be opened there until it is gone.
    rmSync(destination);
    mkdirSync(destination);
    writer.write('one\n');
    await happened('failing');
    writer.write('two\nthree\n');
    writer.write(`${'x'.repeat(64 * 1024 * 1024 - 15)}\n`);
    writer.write('beyond\nbeyond\n');
    writer.write('beyond\n');
    expect(writer.lost).toBe(3);
    rmdirSync(destination);
    await happened('recovered');
    expect(events).toEqual([
      { type: 'failing', error: expect.objectContaining({ code: 'EISDIR' }), records: 'kept' },
      { type: 'full' },
      { type: 'reopened' },
      {
        type: 'recovered',
        kept: 4,
        lost: 3,
        milliseconds: expect.any(Number),
      },
    ]);
    expect(writer.failingSince).toBeNull();
    await writer.close();
    expect(readFileSync(destination, 'utf8').slice(0, 15)).toBe('one\ntwo\nthree\nx');
  });
});

describe('a line that comes when the line before is done', () => {
  it('is written at once, and covered by flush', async () => {
    const destination = join(folder, 'audit.log');
    const writer = await openAuditWriter({ destination, onEvent: unexpected });
    await new Promise<void>((done) => writer.write('{"n":1}\n', done));
    writer.write('{"n":2}\n');
    await writer.flush();
    expect(readFileSync(destination, 'utf8')).toBe('{"n":1}\n{"n":2}\n');
    await writer.close();
  });
});

describe('the audit writer whose file is rotated', () => {
  it('continues in a new file of the same path, and loses no record', async () => {
    const destination = join(folder, 'audit.jsonl');
    const { writer, events } = await opened(destination);
    writer.write('one\n');
    await writer.flush();
    renameSync(destination, `${destination}.1`);
    writer.write('two\n');
    await writer.flush();
    // As logrotate's `create` does.
    renameSync(destination, `${destination}.2`);
    writeFileSync(destination, '', { mode: 0o600 });
    writer.write('three\n');
    await writer.flush();
    rmSync(destination);
    writer.write('four\n');
    await writer.close();
    const texts = ['.1', '.2', ''].map((end) => readFileSync(`${destination}${end}`, 'utf8'));
    expect(texts).toEqual(['one\n', 'two\n', 'four\n']);
    expect(events).toEqual(Array(3).fill({ type: 'reopened' }));
    expect(writer.lost).toBe(0);
  });

  it('opens the path again on request, also when nothing is queued', async () => {
    const destination = join(folder, 'audit.jsonl');
    const { writer, happened } = await opened(destination);
    renameSync(destination, `${destination}.1`);
    writer.reopen();
    await happened('reopened');
    expect(statSync(destination).size).toBe(0);
    await writer.close();
  });

  it('continues at the new end of a file that was copied and truncated, and reports it', async () => {
    const destination = join(folder, 'audit.jsonl');
    const { writer, events } = await opened(destination);
    writer.write('one\n');
    await writer.flush();
    truncateSync(destination);
    writer.write('two\n');
    await writer.close();
    expect(readFileSync(destination, 'utf8')).toBe('two\n');
    expect(events).toEqual([{ type: 'truncated' }]);
    expect(writer.counts.truncations).toBe(1);
  });

  it('continues in the moved file if the new one cannot be opened, reports it, and switches once it can', async () => {
    const destination = join(folder, 'audit.jsonl');
    const { writer, events, happened } = await opened(destination);
    renameSync(destination, `${destination}.1`);
    mkdirSync(destination);
    writer.write('one\n');
    await writer.flush();
    expect(readFileSync(`${destination}.1`, 'utf8')).toBe('one\n');
    expect(events).toMatchObject([{ type: 'failing', error: { code: 'EISDIR' }, records: 'elsewhere' }]);
    expect(writer.isWriting).toBe(true);
    rmdirSync(destination);
    writer.write('two\n');
    await happened('recovered');
    expect(events.slice(1)).toMatchObject([{ type: 'reopened' }, { type: 'recovered', kept: 0, lost: 0 }]);
    await writer.close();
    expect(readFileSync(destination, 'utf8')).toBe('two\n');
  });

  it('reports recovery as soon as the new file can be opened, also when nothing is queued', async () => {
    const destination = join(folder, 'audit.jsonl');
    const { writer, events, happened } = await opened(destination);
    renameSync(destination, `${destination}.1`);
    mkdirSync(destination);
    writer.write('one\n');
    await writer.flush();
    writer.reopen();
    await writer.flush();
    expect(writer.failingSince).not.toBeNull();
    rmdirSync(destination);
    writer.reopen();
    await writer.flush();
    expect(writer.failingSince).toBeNull();
    await happened('recovered');
    expect(events.slice(1)).toMatchObject([{ type: 'reopened' }, { type: 'recovered', kept: 0, lost: 0 }]);
    await writer.close();
  });

  it('keeps records in memory once the moved file is removed too', async () => {
    const destination = join(folder, 'audit.jsonl');
    const { writer, events, happened } = await opened(destination);
    renameSync(destination, `${destination}.1`);
    mkdirSync(destination);
    writer.write('one\n');
    await writer.flush();
    rmSync(`${destination}.1`);
    writer.write('two\n');
    while (writer.isWriting) await turn();
    expect(events.map((event) => event.type === 'failing' && event.records)).toEqual(['elsewhere', 'kept']);
    rmdirSync(destination);
    await happened('recovered');
    expect(events.at(-1)).toMatchObject({ type: 'recovered', kept: 1, lost: 0 });
    await writer.close();
    expect(readFileSync(destination, 'utf8')).toBe('two\n');
  });

  it('starts on its own line after the partial record of a killed process', async () => {
    const destination = join(folder, 'audit.jsonl');
    writeFileSync(destination, '{"type":"mess');
    const { writer } = await opened(destination);
    writer.write('one\n');
    await writer.close();
    expect(readFileSync(destination, 'utf8')).toBe('{"type":"mess\none\n');
  });

  it('refuses a named pipe without a reader instead of waiting for one', async () => {
    const destination = join(folder, 'pipe');
    execFileSync('mkfifo', [destination]);
    await expect(opened(destination)).rejects.toMatchObject({
      code: 'AUDIT_DESTINATION',
      message: expect.stringContaining('no reader'),
    });
  });

  it('keeps records while a named pipe has no reader, and writes them to the next one', async () => {
    const destination = join(folder, 'pipe');
    execFileSync('mkfifo', [destination]);
    const first = openSync(destination, constants.O_RDONLY | constants.O_NONBLOCK);
    const { writer, events, happened } = await opened(destination);
    closeSync(first);
    writer.write('one\n');
    await happened('failing');
    const second = openSync(destination, constants.O_RDONLY | constants.O_NONBLOCK);
    await happened('recovered');
    expect(events).toMatchObject([
      { type: 'failing', error: { code: 'EPIPE' }, records: 'kept' },
      { type: 'recovered', kept: 1, lost: 0 },
    ]);
    await writer.close();
    expect(writer.lost).toBe(0);
    const bytes = Buffer.alloc(5);
    expect(bytes.toString('utf8', 0, readSync(second, bytes))).toBe('one\n');
    closeSync(second);
  });
});

it('reports a destination that accepts nothing as failing, until it accepts everything queued', async () => {
  const destination = join(folder, 'pipe');
  execFileSync('mkfifo', [destination]);
  const pipe = openSync(destination, constants.O_RDONLY | constants.O_NONBLOCK);
  const { writer, events, happened } = await opened(destination, { stallMs: 20 });
  // More than the pipe holds.
  for (let n = 0; n < 4; n++) writer.write(`${'x'.repeat(100_000)}\n`);
  await happened('failing');
  expect(events).toMatchObject([
    { type: 'failing', error: { message: 'the destination accepted no byte for 0.02 s' } },
  ]);
  const reader = new Socket({ fd: pipe, writable: false }).resume();
  await happened('recovered');
  expect(events.at(-1)).toMatchObject({ kept: 4, lost: 0 });
  await writer.close();
  expect(writer.lost).toBe(0);
  reader.destroy();
});

/** Runs a program with the writer on its stdout; it reports the result on stderr. */
function run(program: string, stdout: 'pipe' | number) {
  const module = new URL('../../src/audit/writer.ts', import.meta.url).href;
  const source = `import { openAuditWriter } from ${JSON.stringify(module)};
    const errors = [];
    const onEvent = ({ type, error, records }) => errors.push(error?.code ?? type, ...(records ? [records] : []));
    const writer = await openAuditWriter({ destination: 'stdout', onEvent });
    const report = () => process.stderr.write(JSON.stringify({ lost: writer.lost, errors }));
    ${program}`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], {
    stdio: ['pipe', stdout, 'pipe'],
    env: { ...process.env, UV_THREADPOOL_SIZE: '1' },
  });
  children.push(child);
  if (child.stderr === null) throw new Error('stderr is a pipe');
  const { stderr } = child;
  let output = '';
  stderr.on('data', (chunk) => {
    output += chunk;
  });
  return { child, stderr, closed: once(child, 'close'), output: () => output };
}

describe('the audit writer on stdout', () => {
  it('writes everything to a pipe that is read late, before the process ends', async () => {
    const lines = 200_000;
    const { child, closed, output } = run(
      `for (let n = 0; n < ${lines}; n++) writer.write(n + '\\n');
       await writer.close(); report();`,
      'pipe',
    );
    let text = '';
    for await (const chunk of child.stdout ?? []) text += chunk;
    expect(text).toBe(Array.from({ length: lines }, (_, n) => `${n}\n`).join(''));
    await closed;
    expect(JSON.parse(output())).toEqual({ lost: 0, errors: [] });
    expect(child.exitCode).toBe(0);
  });

  it('waits for the reader of a full non-blocking pipe', async () => {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', [path]);
    const pipe = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
    // Asking for process.stdout makes Node set O_NONBLOCK. With one thread for files the writer's attempt comes first.
    const { child, stderr, closed, output } = run(
      `import { writeSync } from 'node:fs';
       import { stat } from 'node:fs/promises';
       process.stdout;
       try { while (true) writeSync(1, 'x'.repeat(4096)); } catch (error) { errors.push('filler ' + error.code); }
       writer.write('end\\n');
       await stat('.');
       report(); process.stderr.end();
       await writer.close();
       process.exit(writer.lost);`,
      pipe,
    );
    await once(stderr, 'end');
    expect(JSON.parse(output())).toEqual({ lost: 0, errors: ['filler EAGAIN'] });
    const reader = new Socket({ fd: pipe, writable: false });
    let text = '';
    for await (const chunk of reader) {
      text += chunk;
      if (text.endsWith('\n')) break;
    }
    expect(text).toMatch(/^x+end\n$/);
    await closed;
    expect(child.exitCode).toBe(0);
  });

  it('counts records as lost, without an exception, when the reader has ended', async () => {
    const { child, closed, output } = run(
      `process.stdin.once('data', async () => {
         writer.write('one\\ntwo\\n'); await writer.flush();
         writer.write('three\\n'); await writer.close(); report(); process.exit();
       });`,
      'pipe',
    );
    child.stdout?.destroy();
    child.stdin?.write('go');
    await closed;
    expect(child.exitCode).toBe(0);
    expect(JSON.parse(output())).toEqual({ lost: 3, errors: ['EPIPE', 'lost'] });
  });

  it('lets the process end although the pipe is not read, and counts the lost records', async () => {
    const { child, closed, output } = run(
      `for (let n = 0; n < 10; n++) writer.write('x'.repeat(99_999) + '\\n');
       await writer.close(); report(); process.exit(7);`,
      'pipe',
    );
    await once(child, 'exit');
    expect(child.exitCode).toBe(7);
    let got = '';
    for await (const chunk of child.stdout ?? []) got += chunk;
    await closed;
    const { lost } = JSON.parse(output());
    expect(lost).toBeGreaterThan(0);
    expect(lost + got.split('\n').length - 1).toBe(10);
  });

  it('writes to a file that the shell opened', async () => {
    const path = join(folder, 'out');
    const file = openSync(path, 'w');
    const { closed } = run(`writer.write('one\\n'); writer.write('two\\n'); await writer.close();`, file);
    closeSync(file);
    await closed;
    expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n');
  });
});
