import { execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuditWriterOptions, openAuditWriter } from '../../src/audit/writer.ts';
import type { AuditEvent } from '../../src/audit/writer-event.ts';
import { followSeals } from '../support/audit-chain.ts';
import { eventually } from '../support/eventually.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sealed-'));
  file = join(folder, 'audit.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
/** Long: only what the test asks for is sealed. */
const seal = { privateKey, interval: 3_600_000 };
const rotate = { size: 64 * 1024, keep: 3 };
const record = (n: number, bytes = 0) => `{"type":"message","n":${n},"fill":"${'x'.repeat(bytes)}"}\n`;

async function opened(options: Partial<AuditWriterOptions> = {}) {
  const events: AuditEvent[] = [];
  const writer = await openAuditWriter({
    destination: file,
    seal,
    onEvent: (event) => events.push(event),
    ...options,
  });
  return { writer, events, types: () => events.map(({ type }) => type) };
}

const sound = { problems: [], tail: 0 };

describe('the sealed audit', () => {
  it('begins a chain, signs it, covers each line once and ends with stopped', async () => {
    const { writer, types } = await opened();
    for (let n = 0; n < 1000; n++) writer.write(record(n));
    await writer.close();
    const report = followSeals([file], publicKey);
    expect(report).toMatchObject({ ...sound, events: ['started', 'stopped'], lost: 0 });
    expect(report.records.map((line) => JSON.parse(line).n)).toEqual(
      Array.from({ length: 1000 }, (_, n) => n),
    );
    expect(types()).toEqual(['chain_started']);
    expect(writer.counts).toMatchObject({ seals: 2, lastSealAt: expect.any(Number) });
  });

  it('writes a seal when the interval has passed, and none while there is nothing to seal', async () => {
    const { writer } = await opened({ seal: { privateKey: null, interval: 10 } });
    await writer.flush();
    writer.write(record(1));
    await eventually(() => followSeals([file]).events.length === 2);
    writer.write(record(2));
    await eventually(() => followSeals([file]).events.length === 3);
    await writer.close();
    expect(followSeals([file])).toMatchObject({
      ...sound,
      events: ['started', 'sealed', 'sealed', 'stopped'],
    });
  });

  it('finds a record that was changed', async () => {
    const { writer } = await opened();
    writer.write(record(1));
    await writer.close();
    writeFileSync(file, readFileSync(file, 'utf8').replace('"n":1', '"n":2'));
    expect(followSeals([file], publicKey).problems).toEqual([`${file}:3 sha256`]);
  });

  it('goes on with the chain after an orderly end and after a crash, whose lines the next seal covers', async () => {
    const first = await opened();
    first.writer.write(record(1));
    await first.writer.close();
    // Lines and a part of a line after the last seal, as a crash leaves them.
    writeFileSync(file, `${readFileSync(file, 'utf8')}${record(2)}${record(3)}{"type":"seal","time":"2026`);
    const second = await opened();
    second.writer.write(record(4));
    await second.writer.close();
    const report = followSeals([file], publicKey);
    expect(report).toMatchObject({ ...sound, events: ['started', 'stopped', 'resumed', 'stopped'] });
    expect(report.chains).toHaveLength(1);
    expect(report.records).toHaveLength(5);
    expect(second.events).toMatchObject([{ type: 'chain_resumed', unsealed: 3 }]);
  });

  it('finds a last seal that is far from the end, behind lines longer than what it reads at once', async () => {
    const first = await opened();
    await first.writer.close();
    const tail = record(1, 700_000) + record(2).repeat(20_000) + record(3, 300_000);
    writeFileSync(file, readFileSync(file, 'utf8') + tail);
    const second = await opened();
    await second.writer.close();
    expect(followSeals([file], publicKey)).toMatchObject({
      ...sound,
      events: ['started', 'stopped', 'resumed', 'stopped'],
    });
    expect(second.events).toMatchObject([{ type: 'chain_resumed', unsealed: 20_002 }]);
  });

  it('takes no line for a seal that only contains the text of one', async () => {
    writeFileSync(
      file,
      `{"detail":"x"} {"type":"seal","chain":"0123456789abcdef","seq":1}\n{"type":"seal",broken}\n`,
    );
    const { writer, types } = await opened();
    await writer.close();
    expect(types()).toEqual(['chain_started']);
  });

  it.each([
    ['plain', 'audit.log.1', (bytes: Buffer) => bytes],
    ['plain with a date', 'audit.log-20261129', (bytes: Buffer) => bytes],
    ['gzip', 'audit-20261129.log.gz', (bytes: Buffer) => gzipSync(bytes)],
    ['zstd', 'audit.log.1.zst', (bytes: Buffer) => zstdCompressSync(bytes)],
  ])(
    'goes on with the chain of the newest rotated file if its own has no seal: %s',
    async (_, name, compress) => {
      const { writer } = await opened();
      writer.write(record(1));
      await writer.close();
      const rotated = Buffer.from(`${readFileSync(file, 'utf8')}${record(2)}{"half`);
      // Older than the one that counts.
      writeFileSync(join(folder, 'audit.log.7'), 'no seal\n');
      writeFileSync(join(folder, 'audit.log.new'), '{"type":"seal","chain":"0123456789abcdef","seq":1}\n');
      rmSync(file);
      writeFileSync(join(folder, name), compress(rotated));
      writeFileSync(file, record(3));
      const second = await opened();
      await second.writer.close();
      expect(second.events).toMatchObject([{ type: 'chain_resumed', unsealed: 2 }]);
      writeFileSync(join(folder, 'plain'), rotated);
      expect(followSeals([join(folder, 'plain'), file], publicKey)).toMatchObject({
        ...sound,
        events: ['started', 'stopped', 'resumed', 'stopped'],
      });
    },
  );

  it('begins a new chain and reports why if a compressed file is damaged', async () => {
    writeFileSync(`${file}.1.gz`, gzipSync(Buffer.alloc(10_000, 'x')).subarray(0, 20));
    const { writer, events } = await opened();
    await writer.close();
    expect(events).toMatchObject([
      { type: 'chain_unreadable', error: { message: expect.stringContaining('audit.log.1.gz') } },
      { type: 'chain_started' },
    ]);
  });

  it('counts lost records in the next seal', async () => {
    const { writer } = await opened();
    const batch = `${'x'.repeat(1024 * 1024 - 2)}\n\n`;
    for (let index = 0; index < 70; index++) writer.write(batch);
    expect(writer.lost).toBe(12);
    // The time of `close` is limited.
    await writer.flush();
    await writer.close();
    expect(followSeals([file], publicKey)).toMatchObject({ ...sound, lost: 12 });
  });

  it('writes nothing behind stopped, and counts what comes later as lost', async () => {
    // Writing the copy takes longer than a turn, so that the writer is not closed yet when `stopped` is seen.
    const copy = join(folder, 'copy');
    const { writer, types } = await opened({ seal: { privateKey, interval: 1, copy } });
    let written = 0;
    const write = () => writer.write(record(written++));
    write();
    const closed = writer.close();
    write();
    while (!readFileSync(file, 'utf8').includes('"stopped"')) await turn();
    for (let n = 0; n < 100; n++) write();
    await closed;
    write();
    const report = followSeals([file], publicKey);
    expect(report).toMatchObject(sound);
    expect(report.events.filter((event) => event === 'stopped')).toHaveLength(1);
    expect(readFileSync(file, 'utf8').split('\n').at(-2)).toContain('"event":"stopped"');
    expect(report.records.length + writer.lost).toBe(written);
    expect(writer.lost).toBeGreaterThan(0);
    expect(types()).toEqual(['chain_started']);
  });

  it('reports that a seal cannot be made, writes the records all the same, and seals no more', async () => {
    // A key that OpenSSL refuses to sign with, as nothing at the start would.
    const broken = generateKeyPairSync('x25519').privateKey;
    const { writer, events } = await opened({ seal: { privateKey: broken, interval: 10 } });
    writer.write(record(1));
    await writer.flush();
    writer.write(record(2));
    await writer.close();
    expect(events).toMatchObject([{ type: 'chain_started' }, { type: 'seal_failed' }]);
    expect(writer.counts).toMatchObject({ seals: 0, sealFailures: 1, lastSealAt: null });
    expect(readFileSync(file, 'utf8')).toBe(record(1) + record(2));
  });
});

describe('the sealed audit whose file is rotated by another program', () => {
  it('goes on over a rename', async () => {
    const { writer } = await opened();
    writer.write(record(1));
    await writer.flush();
    renameSync(file, `${file}.1`);
    writer.write(record(2));
    await writer.close();
    expect(followSeals([`${file}.1`, file], publicKey)).toMatchObject({
      ...sound,
      events: ['started', 'stopped'],
    });
    expect(readFileSync(file, 'utf8')).toContain('"n":2');
  });

  it('says truncated in the first seal after copytruncate, and seals what follows', async () => {
    const { writer, types } = await opened();
    writer.write(record(1));
    await writer.flush();
    copyFileSync(file, `${file}.1`);
    writer.write(record(2));
    await writer.flush();
    truncateSync(file);
    writer.write(record(3));
    await writer.close();
    const report = followSeals([`${file}.1`, file], publicKey);
    expect(report).toMatchObject({ ...sound, events: ['started', 'truncated', 'stopped'] });
    expect(report.records.map((line) => JSON.parse(line).n)).toEqual([1, 3]);
    expect(types()).toEqual(['chain_started', 'truncated']);
    expect(writer.counts.truncations).toBe(1);
    // The first line, so that what follows is covered by seals without doubt.
    expect(readFileSync(file, 'utf8')).toMatch(/^\{"type":"seal"[^\n]*"event":"truncated"/);
  });

  it('notices a truncation at its end', async () => {
    const { writer } = await opened();
    writer.write(record(1));
    await writer.flush();
    truncateSync(file);
    await writer.close();
    expect(followSeals([file]).events).toEqual(['truncated', 'stopped']);
  });

  it('goes on with its chain if the process ends after a truncation that it did not see', async () => {
    const first = await opened();
    first.writer.write(record(1));
    await first.writer.close();
    copyFileSync(file, `${file}.1`);
    truncateSync(file);
    const second = await opened();
    await second.writer.close();
    expect(followSeals([`${file}.1`, file], publicKey)).toMatchObject({
      ...sound,
      chains: [expect.any(String)],
    });
  });
});

describe('the audit that rotates its file itself', () => {
  const filesOf = () => readdirSync(folder).sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  const pathsOf = () => filesOf().map((name) => join(folder, name));

  it('keeps each file within its size, ends it with a seal, removes the oldest, and loses no line between them', async () => {
    const { writer, types } = await opened({ rotate });
    for (let n = 0; n < 400; n++) {
      writer.write(record(n, 900));
      if (n % 7 === 0) await writer.flush();
    }
    await writer.close();
    expect(filesOf()).toEqual(['audit.log.3', 'audit.log.2', 'audit.log.1', 'audit.log']);
    for (const path of pathsOf()) expect(statSync(path).size).toBeLessThanOrEqual(rotate.size);
    for (const path of pathsOf())
      expect(readFileSync(path, 'utf8').split('\n').at(-2)).toContain('"type":"seal"');
    const report = followSeals(pathsOf(), publicKey);
    expect(report).toMatchObject(sound);
    expect(report.records.map((line) => JSON.parse(line).n)).toEqual(
      Array.from({ length: report.records.length }, (_, index) => 400 - report.records.length + index),
    );
    expect(writer.counts).toMatchObject({ rotations: 5, rotationFailures: 0 });
    expect(types().filter((type) => type === 'rotated')).toHaveLength(5);
    expect(statSync(file).mode & 0o777).toBe(0o640);
  });

  it('splits a batch that is larger than a file, and gives a longer line a file of its own', async () => {
    const { writer } = await opened({ rotate, seal: undefined });
    let isDone = false;
    writer.write(
      Buffer.from(Array.from({ length: 150 }, (_, n) => record(n, 1000)).join('') + record(150, 100_000)),
      () => {
        isDone = true;
      },
    );
    await writer.close();
    expect(isDone).toBe(true);
    const lines = pathsOf().flatMap((path) => readFileSync(path, 'utf8').split('\n').filter(Boolean));
    expect(lines.map((line) => JSON.parse(line).n)).toEqual(Array.from({ length: 151 }, (_, n) => n));
    expect(statSync(file).size).toBeGreaterThan(rotate.size);
    expect(readdirSync(folder)).toHaveLength(4);
  });

  it('goes on after a crash in the middle of a rotation, and loses no file', async () => {
    const first = await opened({ rotate });
    for (let n = 0; n < 150; n++) first.writer.write(record(n, 900));
    await first.writer.close();
    // Between two renames: the number 2 is free, and there is no current file.
    renameSync(`${file}.2`, `${file}.3`);
    renameSync(`${file}.1`, `${file}.2`);
    renameSync(file, `${file}.1`);
    const second = await opened({ rotate: { ...rotate, keep: 10 } });
    for (let n = 150; n < 300; n++) second.writer.write(record(n, 900));
    await second.writer.close();
    const report = followSeals(pathsOf(), publicKey);
    expect(report).toMatchObject({ ...sound, chains: [expect.any(String)] });
    expect(report.records.map((line) => JSON.parse(line).n)).toEqual(
      Array.from({ length: 300 }, (_, n) => n),
    );
  });

  it('lets the file grow if it cannot be rotated, and reports this once', async () => {
    // A folder in the place of the next name.
    mkdirSync(`${file}.1`);
    mkdirSync(`${file}.2`);
    mkdirSync(`${file}.3`);
    const { writer, types } = await opened({ rotate });
    for (let n = 0; n < 200; n++) writer.write(record(n, 900));
    await writer.close();
    expect(writer.counts).toMatchObject({ rotations: 0, rotationFailures: 1 });
    expect(types()).toEqual(['chain_started', 'rotation_failed']);
    expect(followSeals([file], publicKey)).toMatchObject(sound);
    expect(followSeals([file]).records).toHaveLength(200);
  });

  it('leaves the path alone while it names something else than the open file', async () => {
    const { writer, types } = await opened({ rotate });
    writer.write(record(0));
    await writer.flush();
    renameSync(file, join(folder, 'moved'));
    mkdirSync(file);
    for (let n = 1; n < 200; n++) writer.write(record(n, 900));
    await writer.flush();
    expect(existsSync(`${file}.1`)).toBe(false);
    expect(types()).not.toContain('rotation_failed');
    rmdirSync(file);
    await writer.close();
  });

  it('does not rotate a device', async () => {
    const { writer, types } = await opened({ destination: '/dev/null', rotate });
    for (let n = 0; n < 200; n++) writer.write(record(n, 900));
    await writer.close();
    expect(types()).toEqual(['chain_started']);
  });
});

it('writes one chain to a full pipe on stdout that is read late', async () => {
  const module = new URL('../../src/audit/writer.ts', import.meta.url).href;
  const program = `import { openAuditWriter } from ${JSON.stringify(module)};
    const seal = { privateKey: null, interval: 10 };
    const writer = await openAuditWriter({ destination: 'stdout', seal, onEvent: () => {} });
    const timer = setInterval(() => {
      for (let n = 0; n < 1000; n++) writer.write('{"fill":"' + 'x'.repeat(200) + '"}\\n');
      if (writer.queuedBytes > 1_000_000) { clearInterval(timer); process.stderr.end('full'); void writer.close(); }
    }, 15);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(child, 'close');
  await once(child.stderr, 'data');
  let text = '';
  for await (const chunk of child.stdout) text += chunk;
  await closed;
  writeFileSync(file, text);
  const report = followSeals([file]);
  expect(report).toMatchObject({ ...sound, lost: 0 });
  expect([report.events[0], report.events.at(-1)]).toEqual(['started', 'stopped']);
  expect(report.records.length).toBeGreaterThan(4_000);
});

// A device that is always full; Linux has it.
it.runIf(process.platform === 'linux')(
  'ends without its last seal while the disk is full, and counts no seal as a lost record',
  async () => {
    const { writer } = await opened({ destination: '/dev/full' });
    writer.write(record(1));
    await writer.close();
    expect(writer.lost).toBe(1);
    expect(writer.counts.seals).toBe(0);
  },
);

describe('the sealed audit that starts while the disk is full', () => {
  const size = 64 * 1024;
  const partBytes = () => {
    const content = readFileSync(file, 'utf8');
    return content.length - content.lastIndexOf('\n') - 1;
  };

  /** A file of exactly `size` bytes, with sealed lines and a part of a line at its end, as a crash on a full disk leaves it. */
  async function fillFile(): Promise<void> {
    const { writer } = await opened({ seal: { ...seal, privateKey: null } });
    writer.write(record(1));
    await writer.close();
    const sealed = readFileSync(file, 'utf8');
    const unsealed = record(2);
    const part = record(3, size).slice(0, size - sealed.length - unsealed.length);
    writeFileSync(file, sealed + unsealed + part);
  }

  /** A process that cannot write more than `size` bytes to a file until it may; resolves when writing fails. */
  async function startFull() {
    const module = new URL('../../src/audit/writer.ts', import.meta.url).href;
    const program = `import { openAuditWriter } from ${JSON.stringify(module)};
      const onEvent = ({ type }) => process.stderr.write(type + '\\n');
      const seal = { privateKey: null, interval: 3_600_000 };
      const writer = await openAuditWriter({ destination: ${JSON.stringify(file)}, seal, onEvent });
      writer.write(${JSON.stringify(record(4))});
      process.stdin.once('data', async () => { await writer.flush(); await writer.close(); process.exit(); });`;
    const node = [process.execPath, '--input-type=module', '--eval', program];
    const child = spawn('sh', ['-c', `ulimit -S -f ${size / 512}; exec "$0" "$@"`, ...node]);
    let output = '';
    child.stderr.on('data', (chunk) => {
      output += chunk;
    });
    const exited = once(child, 'exit');
    await eventually(() => output.includes('failing'));
    const end = async () => {
      await eventually(() => output.includes('recovered'));
      child.stdin.write('end');
      expect(await exited).toEqual([0, null]);
      return output.split('\n');
    };
    return { pid: child.pid as number, end };
  }

  // util-linux: gives a running process another limit.
  it.runIf(existsSync('/usr/bin/prlimit'))(
    'ends the part of a line before its first seal, once there is room, and covers it as it is',
    async () => {
      await fillFile();
      const { pid, end } = await startFull();
      expect(partBytes()).toBeGreaterThan(1000);
      execFileSync('/usr/bin/prlimit', ['--pid', `${pid}`, '--fsize=unlimited']);
      expect(await end()).toContain('chain_resumed');
      const report = followSeals([file]);
      expect(report).toMatchObject({ ...sound, events: ['started', 'stopped', 'resumed', 'stopped'] });
      expect(report.records).toHaveLength(4);
    },
  );

  it('leaves the part of a line in a file that was moved, and does not cover it', async () => {
    await fillFile();
    const { end } = await startFull();
    renameSync(file, `${file}.1`);
    await end();
    const report = followSeals([`${file}.1`, file]);
    expect(report).toMatchObject({ ...sound, events: ['started', 'stopped', 'resumed', 'stopped'] });
    expect(report.records.map((line) => JSON.parse(line).n)).toEqual([1, 2, 4]);
  });

  it('does not cover the part of a line in a file that was emptied', async () => {
    await fillFile();
    const { end } = await startFull();
    copyFileSync(file, `${file}.1`);
    truncateSync(file);
    await end();
    const report = followSeals([`${file}.1`, file]);
    expect(report.problems).toEqual([]);
    expect(report.events).toEqual(['started', 'stopped', 'resumed', 'truncated', 'stopped']);
    expect(report.records.map((line) => JSON.parse(line).n)).toEqual([1, 2, 4]);
  });
});
