import { execFileSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SealSettings } from '../../src/audit/seals/open-sealing.ts';
import { Sealer } from '../../src/audit/seals/seal.ts';
import { sealCopyFile } from '../../src/audit/seals/seal-copy.ts';
import { openAuditWriter } from '../../src/audit/writer.ts';
import type { AuditEvent } from '../../src/audit/writer-event.ts';
import { followSeals } from '../support/audit-chain.ts';
import { eventually } from '../support/eventually.ts';

let folder = '';
let file = '';
let copy = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'resume-'));
  mkdirSync(join(folder, 'log'));
  file = join(folder, 'log', 'audit.log');
  copy = sealCopyFile(join(folder, 'state'), file);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const other = generateKeyPairSync('ed25519');
const record = (n: number) => `{"type":"message","n":${n}}\n`;
const text = (path = file) => readFileSync(path, 'utf8');
const linesOf = (path = file) => text(path).split('\n').slice(0, -1);
/** Counted from the first line of the file. */
const keepLines = (count: number) =>
  writeFileSync(file, linesOf().slice(0, count).join('\n') + (count > 0 ? '\n' : ''));

/** One process: writes a record for each number, each with a seal of its own, and stops. */
async function run(
  records: readonly number[] = [],
  seal: Partial<SealSettings> & { readonly isCrash?: boolean } = {},
) {
  const { isCrash = false, ...settings } = seal;
  const events: AuditEvent[] = [];
  const writer = await openAuditWriter({
    destination: file,
    seal: { privateKey, interval: 1, copy, ...settings },
    onEvent: (event) => events.push(event),
  });
  await writer.flush();
  if (isCrash) await eventually(() => existsSync(copy) && copied().seq === lastSealOf().seq);
  const copyBefore = isCrash ? text(copy) : '';
  for (const n of records) {
    const { seals } = writer.counts;
    writer.write(record(n));
    await eventually(() => writer.counts.seals > seals, Boolean, { interval: 1 });
  }
  const content = text();
  await writer.close();
  if (isCrash) {
    // As a crash leaves them: without the last seal, and with the copy that was made before these records.
    writeFileSync(file, content);
    writeFileSync(copy, copyBefore);
  }
  return { events, types: events.map(({ type }) => type), counts: writer.counts };
}

const copied = () => JSON.parse(text(copy));
const lastSealOf = (path = file) =>
  JSON.parse(linesOf(path).findLast((line) => line.includes('"seal"')) ?? '');
const seqOf = (line: string) => (line.includes('"type":"seal"') ? [JSON.parse(line).seq] : []);
const sealsOf = (path = file) => linesOf(path).flatMap(seqOf);

describe('the copy of the last seal', () => {
  it('is the line of the last seal of the process, which only its owner can read, under a name of its own', async () => {
    await run([1, 2]);
    expect(text(copy)).toBe(`${linesOf().at(-1)}\n`);
    expect(statSync(copy).mode & 0o777).toBe(0o600);
    expect(copied()).toMatchObject({ event: 'stopped', seq: 3 });
    const names = [sealCopyFile('/a', file), sealCopyFile('/a', '/other'), sealCopyFile('/a', file, 'other')];
    expect(new Set(names).size).toBe(3);
  });

  it('is written at the first seal, and again when a second has passed', async () => {
    const writer = await openAuditWriter({
      destination: file,
      seal: { privateKey, interval: 1, copy },
      onEvent: () => {},
    });
    await eventually(() => existsSync(copy) && copied().event === 'started');
    writer.write(record(1));
    await writer.flush();
    await eventually(() => lastSealOf().event === 'sealed' && copied().seq === lastSealOf().seq);
    await writer.close();
  });

  it('that cannot be written or read is reported once, counted, and stops no record', async () => {
    writeFileSync(join(folder, 'state'), 'a file in the place of the folder');
    const { events, counts } = await run([1, 2]);
    expect(events).toMatchObject([
      { type: 'seal_copy_failed', error: { code: 'ENOTDIR' } },
      { type: 'chain_started' },
    ]);
    expect(counts.sealCopyFailures).toBeGreaterThan(1);
    expect(followSeals([file], publicKey)).toMatchObject({ problems: [], tail: 0 });
    rmSync(join(folder, 'state'));
    await run();
    writeFileSync(copy, 'no seal\n');
    expect((await run()).types).toEqual(['seal_copy_failed', 'chain_resumed']);
  });
});

describe('a start after an orderly stop', () => {
  it('goes on with the chain, and reports nothing', async () => {
    await run([1]);
    expect((await run([2])).types).toEqual(['chain_resumed']);
    expect((await run([3])).types).toEqual(['chain_resumed']);
    expect(followSeals([file], publicKey)).toMatchObject({ problems: [], tail: 0 });
  });

  it.each([
    ['to an older seal', (lines: readonly string[]) => lines.length - 2],
    ['to an older stop', (lines: readonly string[]) => lines.findIndex((l) => l.includes('"stopped"')) + 1],
    ['into the middle of a covered line', () => 2],
  ])('shows in the seals and reports that the file was cut back %s', async (_title, count) => {
    await run([1, 2]);
    await run([3, 4]);
    const { seq } = lastSealOf();
    keepLines(count(linesOf()));
    const before = sealsOf();
    const { events, counts } = await run([5]);
    expect(events).toMatchObject([{ type: 'seals_missing', seq }, { type: 'chain_resumed' }]);
    expect(counts.sealsMissing).toBe(1);
    // The numbers in between are missing, and nothing can fill them.
    expect(sealsOf()).toEqual([...before, seq + 1, seq + 2, seq + 3]);
    expect(followSeals([file], publicKey).problems).toContainEqual(
      expect.stringMatching(new RegExp(`seq ${seq + 1} after ${before.at(-1)}`)),
    );
    expect((await run()).types).toEqual(['chain_resumed']);
  });

  it('goes on behind the remembered seal if all files were removed', async () => {
    await run([1]);
    renameSync(file, join(folder, 'elsewhere'));
    const { events } = await run([2]);
    expect(events).toMatchObject([{ type: 'seals_missing', seq: 2 }, { type: 'chain_resumed' }]);
    expect(followSeals([join(folder, 'elsewhere'), file], publicKey)).toMatchObject({
      problems: [],
      tail: 0,
    });
  });

  it('goes on behind the remembered seal if the file was replaced by one of another chain', async () => {
    await run([1]);
    const { chain } = lastSealOf();
    rmSync(file);
    await run([1], { copy: undefined });
    await run([2], { copy: undefined, privateKey: null });
    const { events } = await run([3]);
    expect(events).toMatchObject([
      { type: 'seals_missing', chain, seq: 2 },
      { type: 'chain_resumed', chain },
    ]);
    expect(lastSealOf()).toMatchObject({ chain, seq: 5 });
  });

  it('notices the whole chain of another gateway with the same key, in the place of removed seals or behind all', async () => {
    await run([1]);
    const older = text();
    await run([2]);
    const { chain, seq } = lastSealOf();
    const newer = text();
    const remembered = text(copy);
    rmSync(file);
    await run([3], { copy: undefined });
    const foreign = text();
    writeFileSync(file, older + foreign);
    expect((await run()).events).toMatchObject([
      { type: 'seals_missing', chain, seq },
      { type: 'chain_resumed', chain },
    ]);
    writeFileSync(copy, remembered);
    writeFileSync(file, newer + foreign);
    expect((await run()).events).toMatchObject([
      { type: 'seal_refused', cause: 'it is of another chain than the remembered one' },
      { type: 'chain_started' },
    ]);
  });

  it('notices files that end before the remembered seal, also if it stands before older ones in a compressed file', async () => {
    await run([1]);
    const older = text();
    await run([2]);
    const { seq } = lastSealOf();
    writeFileSync(`${file}.1.gz`, gzipSync(`${linesOf().at(-1)}\n${older}`));
    writeFileSync(file, '');
    expect((await run()).events).toMatchObject([{ type: 'seals_missing', seq }, { type: 'chain_resumed' }]);
  });

  it('goes on behind the remembered seal if the file with the last one cannot be read', async () => {
    await run([1]);
    const { chain } = lastSealOf();
    renameSync(file, `${file}.1.bz2`);
    expect((await run([2])).types).toEqual(['chain_unreadable', 'seals_missing', 'chain_resumed']);
    expect(lastSealOf()).toMatchObject({ chain, seq: 5 });
    expect(followSeals([`${file}.1.bz2`, file], publicKey)).toMatchObject({ problems: [], tail: 0 });
  });

  it('finds the remembered seal in a compressed file', async () => {
    await run([1], { privateKey: null });
    writeFileSync(`${file}.1.gz`, gzipSync(text()));
    rmSync(file);
    expect((await run([2], { privateKey: null })).types).toEqual(['chain_resumed']);
  });

  it('does not read the file that a compressor has not finished', async () => {
    await run([1]);
    renameSync(file, `${file}.1`);
    writeFileSync(`${file}.1.gz`, gzipSync(text(`${file}.1`)).subarray(0, 100));
    expect((await run([2])).types).toEqual(['chain_resumed']);
  });

  it('reports that the file was replaced by a named pipe', async () => {
    await run([1]);
    const { chain, seq } = lastSealOf();
    rmSync(file);
    execFileSync('mkfifo', [file]);
    const reader = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const events: AuditEvent[] = [];
    const writer = await openAuditWriter({
      destination: file,
      seal: { privateKey, interval: 1, copy },
      onEvent: (event) => events.push(event),
    });
    await writer.close();
    closeSync(reader);
    expect(events).toMatchObject([{ type: 'seals_missing', chain, seq }, { type: 'chain_started' }]);
    expect(writer.counts.sealsMissing).toBe(1);
    expect(copied()).toMatchObject({ chain, seq });
  });

  it('goes on with the chain after a change of the key', async () => {
    await run([1]);
    const { chain } = lastSealOf();
    expect((await run([2], { privateKey: other.privateKey })).types).toEqual(['chain_resumed']);
    expect(lastSealOf()).toMatchObject({ chain, event: 'stopped' });
    expect((await run([3], { privateKey: null })).types).toEqual(['chain_resumed']);
    expect(followSeals([file])).toMatchObject({ problems: [], chains: [chain] });
  });
});

describe('a start after a crash', () => {
  it.each([
    ['signed', privateKey],
    ['without a key', null],
  ])('takes a file that is newer than the copy for sound: seals %s', async (_title, key) => {
    await run([1], { privateKey: key });
    await run([2, 3, 4], { privateKey: key, isCrash: true });
    expect(copied().seq).toBeLessThan(lastSealOf().seq);
    expect((await run([5], { privateKey: key })).types).toEqual(['chain_resumed']);
    expect(followSeals([file], key && publicKey)).toMatchObject({ problems: [], tail: 0 });
  });

  it('takes files whose oldest part was removed by rotation for sound, without a key', async () => {
    await run([1, 2, 3, 4], { privateKey: null, isCrash: true });
    writeFileSync(file, `${linesOf().slice(-2).join('\n')}\n`);
    expect((await run([], { privateKey: null })).types).toEqual(['chain_resumed']);
  });

  it('does not go on with an unsigned chain that was made anew under the same id', async () => {
    await run([1], { privateKey: null });
    const { chain, seq } = lastSealOf();
    const forged = new Sealer({ chain, last: null, privateKey: null });
    const seals = ['started', 'sealed', 'sealed', 'sealed', 'stopped'] as const;
    writeFileSync(file, seals.map((event) => forged.seal(event, { now: Date.now(), lost: 0 })).join(''));
    expect((await run([], { privateKey: null })).events).toMatchObject([
      { type: 'seals_missing', chain, seq },
      { type: 'chain_resumed' },
    ]);
  });

  it('begins a new chain if the key was changed too, or if all files were removed', async () => {
    await run([1, 2], { isCrash: true });
    copyFileSync(file, `${file}.kept`);
    const changed = await run([3], { privateKey: other.privateKey });
    expect(changed.events).toMatchObject([
      { type: 'seal_refused', cause: expect.stringMatching(/^it is signed with another key, [\da-f]{16}$/) },
      { type: 'chain_started' },
    ]);
    renameSync(`${file}.kept`, file);
    await run([], { isCrash: true });
    rmSync(file);
    expect((await run()).types).toEqual(['seals_missing', 'chain_started']);
  });
});

describe('a last seal that this gateway did not write', () => {
  /** As by someone who can write to the file and has no key. */
  function plant(changes: Readonly<Record<string, unknown>>): void {
    const line = linesOf().at(-1) as string;
    const seal = { ...JSON.parse(line), ...changes };
    writeFileSync(file, `${text()}${JSON.stringify(seal)}\n`);
  }

  it.each([
    ['it is not signed', { key: null, signature: null }],
    ['its signature is wrong', { seq: 7 }],
    ['it is signed with another key, 0123456789abcdef', { key: '0123456789abcdef' }],
    ['its number 999999999999999 is too large', { seq: 999_999_999_999_999 }],
  ])('is not continued: %s', async (cause, changes) => {
    await run([1], { copy: undefined });
    const { chain } = lastSealOf();
    plant(changes);
    const { events } = await run([2], { copy: undefined });
    expect(events).toMatchObject([{ type: 'seal_refused', cause }, { type: 'chain_started' }]);
    expect(lastSealOf().chain).not.toBe(chain);
  });

  it.each([
    ['a number beyond all numbers', { seq: 9_007_199_254_740_000 }],
    ['a further field', { note: 'x' }],
    ['an unknown event', { event: 'paused' }],
  ])('counts as a line if it has %s', async (_title, changes) => {
    await run([1], { copy: undefined });
    const { chain, seq } = lastSealOf();
    plant(changes);
    const { events } = await run([], { copy: undefined });
    expect(events).toMatchObject([{ type: 'chain_resumed', chain, unsealed: 1 }]);
    expect(lastSealOf()).toMatchObject({ chain, seq: seq + 2, event: 'stopped' });
  });

  it('is not continued if it is signed and this gateway has no key', async () => {
    await run([1], { copy: undefined });
    const { types } = await run([], { copy: undefined, privateKey: null });
    expect(types).toEqual(['seal_refused', 'chain_started']);
  });

  it('does not keep the chain from going on behind the remembered seal', async () => {
    await run([1]);
    const { chain, seq } = lastSealOf();
    rmSync(file);
    writeFileSync(file, `${text(copy).replace(`"seq":${seq}`, `"seq":${seq - 1}`)}`);
    const { types } = await run();
    expect(types).toEqual(['seals_missing', 'chain_resumed']);
    expect(lastSealOf()).toMatchObject({ chain, seq: seq + 2 });
  });
});

it('finds the last seal behind a line that is longer than what is read at once and full of begins of seals', async () => {
  await run([1]);
  const { seq } = lastSealOf();
  writeFileSync(file, `${text()}${'{"type":"seal",'.repeat(2_000_000)}\n${record(2)}`);
  const { events } = await run();
  expect(events).toMatchObject([{ type: 'chain_resumed', unsealed: 2 }]);
  expect(lastSealOf().seq).toBe(seq + 2);
  expect(followSeals([file], publicKey)).toMatchObject({ problems: [], tail: 0 });
});
