import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, expect, test } from 'vitest';
import { keyIdOf, Sealer } from '../../../src/audit/seals/seal.ts';
import { orderFiles } from '../../../src/auditing/reading/audit-files.ts';
import { type Compression, readLines } from '../../../src/auditing/reading/lines.ts';
import { temporaryFolder } from '../../support/folder.ts';

const folder = await temporaryFolder();
afterAll(() => folder[Symbol.asyncDispose]());

function file(name: string, content: string | Buffer): string {
  const path = join(folder.path, name);
  writeFileSync(path, content);
  return path;
}

async function linesOf(path: string, compression: Compression) {
  const lines = [];
  for await (const batch of readLines(path, compression)) lines.push(...batch);
  return lines.map(({ number, bytes, isWhole }) => [number, bytes.toString(), isWhole]);
}

test('lines are numbered, and a last line without its newline is not whole', async () => {
  const expected = [
    [1, 'one', true],
    [2, '', true],
    [3, 'half', false],
  ];
  const text = 'one\n\nhalf';
  expect(await linesOf(file('plain', text), 'none')).toEqual(expected);
  expect(await linesOf(file('gz', gzipSync(text)), 'gzip')).toEqual(expected);
  expect(await linesOf(file('zst', zstdCompressSync(text)), 'zstd')).toEqual(expected);
});

test('a line across chunks is one line', async () => {
  const long = 'x'.repeat(700_000);
  expect(await linesOf(file('long', `a\n${long}\nb\n`), 'none')).toEqual([
    [1, 'a', true],
    [2, long, true],
    [3, 'b', true],
  ]);
});

test.each([
  ['a line beyond 1 MiB', 'x'.repeat(2_000_000), 'none', /line 1 is longer than 1 MiB/],
  [
    'a damaged gzip file',
    Buffer.concat([gzipSync('a\n').subarray(0, 12), Buffer.alloc(20, 7)]),
    'gzip',
    /damaged/,
  ],
  ['a gzip file that is cut off', gzipSync('a\n'.repeat(999)).subarray(0, 20), 'gzip', /cut off/],
  [
    'a damaged zstd file',
    Buffer.concat([zstdCompressSync('a\n').subarray(0, 5), Buffer.alloc(20, 7)]),
    'zstd',
    /damaged/,
  ],
] as const)('%s is refused by name', async (name, content, compression, message) => {
  const path = file(name, content);
  await expect(linesOf(path, compression)).rejects.toThrow(message);
  await expect(linesOf(path, compression)).rejects.toThrow(path);
});

const zeros = Buffer.alloc(300_000);
const packers = [
  ['gzip', gzipSync],
  ['zstd', zstdCompressSync],
] as const;

test.each(packers)(
  'all parts of a %s file are read, and zeros to its end are padding',
  async (kind, pack) => {
    const parts = file('parts', Buffer.concat([pack('a\n'), pack('b\n'), zeros]));
    expect(await linesOf(parts, kind)).toEqual([
      [1, 'a', true],
      [2, 'b', true],
    ]);
  },
);

test.each(packers)(
  'a part of a %s file behind zeros or other data is not passed over',
  async (kind, pack) => {
    const first = pack('a\n');
    for (const between of [Buffer.alloc(1), zeros]) {
      const hidden = file('hidden', Buffer.concat([first, between, pack('b\n')]));
      const at = first.length + between.length;
      await expect(linesOf(hidden, kind)).rejects.toThrow(
        `the compressed file ends at byte ${first.length}, and there is further data from byte ${at} on`,
      );
    }
    const other = file('other', Buffer.concat([first, Buffer.from('junk')]));
    await expect(linesOf(other, kind)).rejects.toThrow(/further data|damaged/);
  },
);

test('files are ordered by their seals and recognised by their first bytes, whatever their names', async () => {
  const sealer = new Sealer({ chain: '0011223344556677', last: null, privateKey: null });
  const now = Date.UTC(2026, 10, 29);
  // The clock is set back between the files.
  const [first, second, third] = [0, -60_000, 60_000].map((ms) =>
    sealer.seal('sealed', { now: now + ms, lost: 0 }),
  );
  const paths = [
    file('a', third ?? ''),
    file('b', gzipSync(second ?? '')),
    file('c', zstdCompressSync(first ?? '')),
  ];
  const ordered = await orderFiles(paths);
  expect(ordered.map(({ path, compression }) => [path.at(-1), compression])).toEqual([
    ['c', 'zstd'],
    ['b', 'gzip'],
    ['a', 'none'],
  ]);
});

test('with public keys, seals that they did not sign do not change the order of the files', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const now = Date.UTC(2026, 10, 29);
  const sealer = new Sealer({ chain: '0011223344556677', last: null, privateKey });
  const [first, second] = [1, 2].map(() => sealer.seal('sealed', { now, lost: 0 }));
  const last = { chain: '0011223344556677', seq: 900, hash: '0'.repeat(64) };
  const forger = new Sealer({ chain: last.chain, last, privateKey: null });
  const forged = [1, 2].map(() => forger.seal('sealed', { now, lost: 0 })).join('');
  const paths = [file('later', second ?? ''), file('earlier', forged + first)];
  const order = async (keys: Parameters<typeof orderFiles>[1]) =>
    (await orderFiles(paths, keys)).map(({ firstSeal }) => firstSeal?.seq);
  expect(await order(null)).toEqual([1, 901]);
  expect(await order(new Map([[keyIdOf(publicKey), publicKey]]))).toEqual([0, 1]);
  // Without a seal of a known key, all count.
  expect(await order(new Map())).toEqual([1, 901]);
});

test('a file that does not exist is named', async () => {
  await expect(orderFiles([join(folder.path, 'absent')])).rejects.toThrow(/absent: the file does not exist/);
});
