import { createHash, generateKeyPairSync, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  hashOfSeal,
  isSealLine,
  keyIdOf,
  type Seal,
  Sealer,
  signedBytesOf,
} from '../../../src/audit/seals/seal.ts';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const now = Date.UTC(2026, 10, 29);

function sealer(options: Partial<ConstructorParameters<typeof Sealer>[0]> = {}) {
  return new Sealer({ chain: '00112233aabbccdd', last: null, privateKey: null, ...options });
}

const parsed = (line: string) => JSON.parse(line) as Seal;

test('a seal has the number and the SHA-256 of the lines since the last seal', () => {
  const made = sealer();
  made.seal('started', { now, lost: 0 });
  made.add(Buffer.from('{"a":1}\n{"b":2}\n'), 2);
  made.add(Buffer.from('{"c":3}\n'), 1);
  const seal = parsed(made.seal('sealed', { now, lost: 4 }));
  expect(seal).toEqual({
    type: 'seal',
    time: '2026-11-29T00:00:00.000Z',
    event: 'sealed',
    chain: '00112233aabbccdd',
    seq: 1,
    lines: 3,
    sha256: createHash('sha256').update('{"a":1}\n{"b":2}\n{"c":3}\n').digest('hex'),
    previous: seal.previous,
    lost: 4,
    key: null,
    signature: null,
  });
});

test('each seal names the hash of the line of the last one, also of one before a restart', () => {
  const before = sealer();
  const first = before.seal('started', { now, lost: 0 });
  const second = before.seal('sealed', { now, lost: 0 });
  const third = sealer({ last: before.last }).seal('resumed', { now, lost: 0 });
  expect([first, second, third].map((line) => parsed(line).seq)).toEqual([0, 1, 2]);
  expect(parsed(first).previous).toBeNull();
  expect(parsed(second).previous).toBe(hashOfSeal(Buffer.from(first.trimEnd())));
  expect(parsed(third).previous).toBe(hashOfSeal(Buffer.from(second.trimEnd())));
});

test('with a key the signature covers the line up to it', () => {
  const line = Buffer.from(sealer({ privateKey }).seal('started', { now, lost: 0 }).trimEnd());
  const seal = parsed(line.toString());
  expect(seal.key).toBe(keyIdOf(publicKey));
  const signed = signedBytesOf(line);
  expect(signed?.length).toBe(line.indexOf(',"signature"'));
  expect(
    verify(null, signed ?? Buffer.alloc(0), publicKey, Buffer.from(seal.signature ?? '', 'base64')),
  ).toBe(true);
});

test('a seal is told from a record by the begin of its line', () => {
  expect(isSealLine(Buffer.from(sealer().seal('started', { now, lost: 0 })))).toBe(true);
  expect(isSealLine(Buffer.from('{"type":"message","x":{"type":"seal","a":1}}'))).toBe(false);
  expect(isSealLine(Buffer.from('{"type"'))).toBe(false);
});
