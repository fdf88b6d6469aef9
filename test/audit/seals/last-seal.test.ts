import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findChain, findSeal } from '../../../src/audit/seals/last-seal.ts';
import { Sealer } from '../../../src/audit/seals/seal.ts';
import { readSeal } from '../../../src/audit/seals/seal-reader.ts';

let folder = '';
let file = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'chain-end-'));
  file = join(folder, 'audit.log');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const sealer = new Sealer({ chain: '0123456789abcdef', last: null, privateKey: null });
const lines = Array.from({ length: 4 }, () => sealer.seal('sealed', { now: 0, lost: 0 }));
const [first = '', second = '', third = ''] = lines;
const read = (line: string) => readSeal(Buffer.from(line.trimEnd()));
const length = second.length;
/** Lines of together so many bytes. */
const filler = (bytes: number) => `${'{"type":"message"}\n'.repeat(3)}${'x'.repeat(bytes - 58)}\n`;

/** How much is read at once: of a plain file, and of a decompressed one. */
const windows = [256 * 1024, 16 * 1024];
/** Where the border of two reads lies in the seal, in bytes from its begin. */
const borders = [-1, 0, 1, 8, 15, 16, 200, length - 1, length, length + 1];
const places = windows.flatMap((window) => borders.map((border) => [window, border] as const));

describe('the last seal', () => {
  it.each(places)('is found at the border of two reads: %i bytes, %i in the seal', async (window, border) => {
    // From the end, as a plain file is read.
    writeFileSync(file, `${first}${second}${filler(window - length + border)}`);
    const plain = await findChain(file);
    expect(plain?.last?.seal).toEqual(read(second));
    expect(plain?.tail).toMatchObject([{ path: file, start: first.length + length }]);
    // From the begin, as a compressed file is read.
    const text = `${filler(window - border)}${second}${filler(window)}`;
    writeFileSync(file, '');
    for (const [end, bytes] of [
      ['gz', gzipSync(text)],
      ['zst', zstdCompressSync(text)],
    ] as const) {
      writeFileSync(`${file}.1.${end}`, bytes);
      const found = await findChain(file);
      expect(found?.last?.seal).toEqual(read(second));
      expect(found?.tail[0]).toMatchObject({ start: window - border + length });
      rmSync(`${file}.1.${end}`);
    }
  });

  it.each([
    ['gz', gzipSync],
    ['zst', zstdCompressSync],
  ] as const)('is not looked for in a .%s file with data behind its end', async (end, compress) => {
    writeFileSync(file, '');
    // Zeros alone are padding.
    const padded = [compress(first), Buffer.alloc(512)];
    writeFileSync(`${file}.1.${end}`, Buffer.concat(padded));
    expect((await findChain(file))?.last?.seal).toEqual(read(first));
    writeFileSync(`${file}.1.${end}`, Buffer.concat([...padded, compress(second)]));
    await expect(findChain(file)).rejects.toThrow(/there is further data from byte \d+ on/);
  });

  it('is unknown if a compressed file is too long to be read to its end', async () => {
    writeFileSync(file, '');
    writeFileSync(`${file}.1.gz`, gzipSync(first + filler(1_000_000) + second));
    expect((await findChain(file))?.last?.seal).toEqual(read(second));
    expect(await findChain(file, 500_000)).toBeNull();
    // A plain file is read from its end.
    writeFileSync(file, filler(1_000_000) + second);
    expect((await findChain(file, 500_000))?.last?.seal).toEqual(read(second));
  });

  it('without its newline is none, and the one before it counts', async () => {
    writeFileSync(file, `${first}${second.trimEnd()}`);
    expect((await findChain(file))?.last?.seal.seq).toBe(0);
  });

  it('is null if no file has one, and the tail is all files, the oldest first', async () => {
    writeFileSync(`${file}.1`, filler(100));
    writeFileSync(file, filler(100));
    expect(await findChain(file)).toEqual({
      last: null,
      tail: [
        { path: `${file}.1`, compression: 'none', start: 0 },
        { path: file, compression: 'none', start: 0 },
      ],
    });
  });
});

describe('a given seal', () => {
  it.each([
    ['in the plain file', (text: string) => writeFileSync(file, text)],
    [
      'in a compressed file',
      (text: string) => {
        writeFileSync(file, '');
        writeFileSync(`${file}.1.gz`, gzipSync(text));
      },
    ],
  ])('is found, is older than all, or is absent: %s', async (_title, write) => {
    const wanted = read(second);
    if (wanted === null) throw new Error('no seal');
    write(first + second + third);
    expect(await findSeal(file, wanted)).toBe('found');
    write(third);
    expect(await findSeal(file, wanted)).toBe('older');
    write(first + third);
    expect(await findSeal(file, wanted)).toBe('absent');
    write(first);
    expect(await findSeal(file, wanted)).toBe('absent');
    // The same number with other content.
    write(first + second.replace('"lost":0', '"lost":1') + third);
    expect(await findSeal(file, wanted)).toBe('absent');
    write(second.replace('0123456789abcdef', 'fedcba9876543210'));
    expect(await findSeal(file, wanted)).toBe('absent');
  });
});
