/** What the verification says about each kind of set: several chains, keys, files given twice, other lines, wrong input. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { describeFinding } from '../../../src/auditing/verify/finding-meaning.ts';
import { readPublicKeys } from '../../../src/auditing/verify/public-keys.ts';
import { verifyFiles } from '../../../src/auditing/verify/verify.ts';
import { temporaryFolder } from '../../support/folder.ts';
import { type AuditSet, AuditSetWriter, keyPair, type Step } from './audit-set.ts';
import { allCompressions, verifySet } from './verify-set.ts';

const folder = await temporaryFolder();
afterAll(() => folder[Symbol.asyncDispose]());

const block: readonly Step[] = [{ do: 'write', lines: 4 }, { do: 'rotate' }];
/** Four files, each of which ends with a seal. */
const steps: readonly Step[] = [...block, ...block, ...block, { do: 'write', lines: 4 }, { do: 'seal' }];

const unsigned = () => new AuditSetWriter({ privateKey: null }).run(steps);
const signed = () => new AuditSetWriter().run(steps);
const other = generateKeyPairSync('ed25519');
const onlyFiles = (files: string[][]): AuditSet => ({ files, halves: new Map() });

/** Of the findings that are notices. */
function noticesOf({ verification }: Awaited<ReturnType<typeof verifySet>>): string[] {
  return verification.findings.sorted.filter(({ severity }) => severity === 'notice').map(({ kind }) => kind);
}

describe('where a fault is', () => {
  test('one inserted line is found exactly, and the seals after it are right', async () => {
    const set = signed();
    set.files[1]?.splice(2, 0, set.record());
    const { kinds, verification, paths } = await verifySet(set, { compressions: allCompressions });
    expect(kinds).toEqual(['lines_inserted']);
    const [finding] = verification.findings.sorted;
    expect(finding).toMatchObject({ from: { file: paths[1], line: 3 }, to: { file: paths[1], line: 3 } });
  });

  test('two lines that changed places are named', async () => {
    const set = signed();
    const [first = '', second = '', third = '', ...rest] = set.files[2] ?? [];
    set.files[2] = [third, second, first, ...rest];
    const { kinds, verification } = await verifySet(set);
    expect(kinds).toEqual(['lines_reordered']);
    expect(verification.findings.sorted[0]).toMatchObject({ from: { line: 1 }, to: { line: 3 } });
  });

  test('two tamperings far from each other are two findings', async () => {
    const set = signed();
    set.files[0]?.splice(1, 1);
    set.files[3]?.splice(1, 1);
    const { kinds, verification } = await verifySet(set);
    expect(kinds).toEqual(['lines_removed', 'lines_removed']);
    expect(verification.findings.sorted.map(({ count, seals }) => [count, seals?.first])).toEqual([
      [1, 1],
      [1, 4],
    ]);
  });

  test('a removed file is named by the two files beside it', async () => {
    const set = signed();
    set.files.splice(1, 1);
    const { kinds, verification, paths } = await verifySet(set);
    expect(kinds).toEqual(['seals_missing']);
    const [finding] = verification.findings.sorted;
    expect(finding).toMatchObject({
      from: { file: paths[0] },
      to: { file: paths[1] },
      seals: { first: 2, last: 2 },
    });
  });

  test('a block of lines with its seal that stands twice is one finding', async () => {
    const set = signed();
    set.files[2]?.push(...(set.files[1] ?? []));
    const { kinds, verification } = await verifySet(set);
    expect(kinds).toEqual(['seal_repeated']);
    expect(verification.findings.sorted[0]).toMatchObject({ count: 4, from: { line: 6 }, to: { line: 10 } });
  });
});

describe('seals that were made anew', () => {
  /** The lines of the second file with a changed record and a seal that fits them. */
  function replaceSecondFile(set: AuditSetWriter, privateKey: typeof keyPair.privateKey | null): void {
    const forger = new AuditSetWriter({ privateKey }).run([
      ...block,
      { do: 'write', lines: 4 },
      { do: 'seal' },
    ]);
    const chain = JSON.parse(set.files[0]?.[0] ?? '').chain;
    const forgedChain = JSON.parse(forger.files[0]?.[0] ?? '').chain;
    const forged = (forger.files[1] ?? []).map((line) => line.replace(forgedChain, chain));
    set.files[1] = forged;
  }

  test('without a key the seal that follows shows that one was replaced together with its lines', async () => {
    const set = unsigned();
    replaceSecondFile(set, null);
    const { kinds } = await verifySet(set, { publicKeys: null });
    expect(kinds).toEqual(['seal_altered']);
  });

  test('a seal that another key signed is found, also if it is the last one', async () => {
    const set = signed();
    const last = set.files[3]?.pop() ?? '';
    const { signature, ...fields } = JSON.parse(last);
    const key = '0123456789abcdef';
    set.files[3]?.push(JSON.stringify({ ...fields, key, signature }));
    expect((await verifySet(set)).kinds).toEqual(['key_unknown']);
    expect((await verifySet(set, { publicKeys: null })).kinds).toEqual(['key_changed']);
  });

  test('a last seal that was changed does not fit its signature', async () => {
    const set = signed();
    const last = set.files[3]?.pop() ?? '';
    set.files[3]?.push(last.replace('"lost":0', '"lost":1'));
    expect((await verifySet(set)).kinds).toEqual(['signature_invalid', 'records_lost']);
  });

  test('a last seal with a changed signature is found, also in the bits of base64 that do not count', async () => {
    const set = signed();
    const last = set.files[3]?.pop() ?? '';
    const { signature } = JSON.parse(last);
    const end = { A: 'B', Q: 'R', g: 'h', w: 'x' }[signature.at(-3) as 'A'] ?? 'A';
    set.files[3]?.push(last.replace(signature, `${signature.slice(0, -3)}${end}==`));
    expect((await verifySet(set)).kinds).toEqual(['signature_invalid']);
  });

  test('seals without signatures are tampering if a public key is given', async () => {
    const result = await verifySet(unsigned());
    expect(result.kinds).toEqual(['seal_unsigned']);
    expect(result.verdict).toBe('tampered');
    expect((await verifySet(unsigned(), { publicKeys: null })).verdict).toBe('sound');
  });

  test('a wrong public key is one finding, and does not hide an altered seal', async () => {
    const set = signed();
    expect((await verifySet(set, { publicKeys: [other.publicKey] })).kinds).toEqual(['key_unknown']);
    replaceSecondFile(set, keyPair.privateKey);
    expect((await verifySet(set, { publicKeys: [other.publicKey] })).kinds).toContain('seal_altered');
  });
});

describe('sets that are sound', () => {
  test('a chain that began before the oldest file is said to, and is sound', async () => {
    const result = await verifySet(onlyFiles(signed().files.slice(2)));
    expect(result.verdict).toBe('sound');
    expect(noticesOf(result)).toEqual(['older_files_absent']);
  });

  test('an external rotation within a seal leaves the first lines of the second file unproven without the first', async () => {
    const set = new AuditSetWriter().run([
      ...[{ do: 'write', lines: 2 } as const, { do: 'seal' } as const, { do: 'write', lines: 3 } as const],
      ...[{ do: 'rename' } as const, { do: 'write', lines: 2 } as const, { do: 'seal' } as const],
    ]);
    expect((await verifySet(set)).verdict).toBe('sound');
    expect((await verifySet(onlyFiles(set.files.slice(1)))).kinds).toEqual(['begin_unproven']);
  });

  test('a second chain after an orderly stop is sound; after a kill the end of the first one is not proven', async () => {
    const set = signed();
    set.seal('stopped');
    set.restartWithNewChain();
    set.run(block);
    expect((await verifySet(set)).kinds).toEqual([]);
    set.write(2);
    set.restartWithNewChain();
    expect((await verifySet(set)).kinds).toEqual(['tail_unsealed']);
  });

  test('the begin of a second chain cannot be removed', async () => {
    const set = signed();
    set.seal('stopped');
    set.files.push([]);
    set.restartWithNewChain();
    set.run([...block, ...block]);
    set.files.splice(4, 1);
    expect((await verifySet(set)).kinds).toEqual(['chain_begin_missing']);
  });

  test('the files of two gateways can be verified together', async () => {
    const [first, second] = [signed(), signed()];
    const files = [...first.files, ...second.files.slice(1)];
    const { kinds } = await verifySet(onlyFiles(files));
    expect(kinds).toEqual([]);
  });

  test('a file that is given twice, or as an earlier copy, is read once', async () => {
    const set = signed();
    const copy = set.files[1] ?? [];
    set.files.splice(2, 0, [...copy], copy.slice(0, 3));
    const result = await verifySet(set, { compressions: allCompressions });
    expect(result.kinds).toEqual([]);
    expect(noticesOf(result)).toEqual(['file_repeated', 'file_repeated']);
  });

  test('empty files are no copies of each other', async () => {
    const set = signed();
    set.files.push([], []);
    expect(noticesOf(await verifySet(set))).toEqual([]);
  });

  test('a line that a kill or a rotation cut off at the end of a file counts for nothing', async () => {
    const set = signed();
    set.halves.set(1, '{"type":"mess');
    const result = await verifySet(set);
    expect(result.verdict).toBe('sound');
    expect(noticesOf(result)).toEqual(['partial_line']);
  });

  test('a complete record without its newline is a gap at the end of any file, also of one that is given twice', async () => {
    for (const file of [0, 1, 3]) {
      const set = signed();
      set.halves.set(file, set.record());
      const { verdict, verification } = await verifySet(set, { compressions: allCompressions });
      expect(verdict).toBe('incomplete');
      const found = verification.findings.sorted.find(({ kind }) => kind === 'partial_line');
      expect(found).toMatchObject({ severity: 'gap', from: { line: (set.files[file]?.length ?? 0) + 1 } });
    }
    const set = signed();
    set.files.push([...(set.files[1] ?? [])], (set.files[1] ?? []).slice(0, 2));
    set.halves.set(4, set.record());
    set.halves.set(5, set.files[1]?.[2]?.slice(0, -1) ?? '');
    expect((await verifySet(set)).kinds).toEqual(['partial_line']);
  });

  test('lines of another program between the records are a gap, once, and the records are proven', async () => {
    const set = signed();
    for (const lines of set.files) lines.splice(2, 0, '{"level":30,"msg":"listening"}', 'text');
    const result = await verifySet(set);
    expect(result.verdict).toBe('incomplete');
    expect(new Set(result.kinds)).toEqual(new Set(['other_lines']));
    set.files[1]?.splice(0, 1);
    expect((await verifySet(set)).verdict).toBe('tampered');
  });

  test('text that a reader of records would accept is no line of another program', async () => {
    const set = signed();
    set.files[1]?.splice(1, 0, ' { "verdict": "allow", "type": "handshake" }');
    expect((await verifySet(set)).kinds).toEqual(['lines_inserted']);
  });
});

test('every finding has a sentence without an empty part', async () => {
  const set = new AuditSetWriter().run([
    ...steps,
    { do: 'lose', records: 3 },
    { do: 'write', lines: 2 },
    { do: 'kill', half: true },
    { do: 'copytruncate', lines: 1, seals: 2 },
    { do: 'write', lines: 1 },
  ]);
  const { verification } = await verifySet(set);
  const texts = verification.findings.sorted.map(describeFinding);
  expect(texts).toHaveLength(4);
  for (const text of texts) expect(text).not.toMatch(/undefined|null|NaN|\.\./);
  const shortened = texts.find((text) => text.startsWith('The gateway states that something else shortened'));
  expect(shortened).toMatch(/are missing with their lines, and nothing is proven about the lines between/);
});

describe('input that cannot be verified', () => {
  const file = (name: string, content: string | Buffer) => {
    const path = join(folder.path, name);
    writeFileSync(path, content);
    return path;
  };
  const gzip = gzipSync(`${signed().files.flat().join('\n')}\n`);

  test.each([
    ['a file that does not exist', () => join(folder.path, 'none'), /none: the file does not exist/],
    ['a device', () => '/dev/zero', /is a device, pipe or socket/],
    ['text', () => file('text', 'hello\n'), /is not an audit file of the gateway/],
    ['an empty file', () => file('empty', ''), /no seal in .*empty/],
    ['records without seals', () => file('plain', '{"type":"message"}\n'), /audit\.seal/],
    [
      'seals with other line ends',
      () => file('crlf', signed().files.flat().join('\r\n')),
      /all were changed/,
    ],
    [
      'the log of a container runtime',
      () => file('cri', '2026-11-29T00:00:00Z stdout F {}\n'),
      /cut -d" " -f4-/,
    ],
    ['a cut gzip file', () => file('cut', gzip.subarray(0, 200)), /cut off before its end/],
    ['a line of 2 MiB', () => file('long', `${'x'.repeat(2 ** 21)}\n`), /longer than 1 MiB/],
  ])('%s is refused with what it is', async (_name, path, message) => {
    await expect(verifyFiles([path()], { keys: null })).rejects.toThrow(message);
  });

  test('a folder is refused', async () => {
    const path = join(folder.path, 'folder');
    mkdirSync(path);
    await expect(verifyFiles([path], { keys: null })).rejects.toThrow(/give the files in it/);
  });
});

test('a public key file has Ed25519 keys, one or several, and no private key', () => {
  const pem = (key: typeof keyPair.publicKey) => key.export({ type: 'spki', format: 'pem' }).toString();
  expect(readPublicKeys(pem(keyPair.publicKey) + pem(other.publicKey))).toHaveProperty('size', 2);
  const secret = keyPair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  expect(readPublicKeys(secret)).toMatch(/private key/);
  expect(readPublicKeys(pem(generateKeyPairSync('x25519').publicKey))).toMatch(/x25519/);
  expect(readPublicKeys('hello')).toMatch(/no public key/);
});
