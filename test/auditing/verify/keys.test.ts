/** Seals without a signature, or of a key that was not given, beside seals with a right signature. */
import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { Sealer } from '../../../src/audit/seals/seal.ts';
import { describeFinding } from '../../../src/auditing/verify/finding-meaning.ts';
import { AuditSetWriter, keyPair, type Step } from './audit-set.ts';
import { type Verified, verifySet } from './verify-set.ts';

const [first, second] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')];
const block: readonly Step[] = [
  { do: 'write', lines: 2 },
  { do: 'rotate' },
  { do: 'write', lines: 2 },
  { do: 'restart' },
];

/** A chain whose key is replaced at each restart; null: no key yet. */
function chainOf(...keys: (typeof keyPair.privateKey | null)[]): AuditSetWriter {
  const [begin = null, ...later] = keys;
  const set = new AuditSetWriter({ privateKey: begin });
  for (const key of later) {
    set.replaceKey(key);
    set.run(block);
  }
  return set.run(block);
}

function resultOf({ verdict, kinds }: Verified): unknown[] {
  return [verdict, ...kinds];
}

test('seals of a replaced key are right if both public keys are given', async () => {
  const publicKeys = [keyPair.publicKey, first.publicKey];
  expect(resultOf(await verifySet(chainOf(first.privateKey, keyPair.privateKey), { publicKeys }))).toEqual([
    'sound',
  ]);
});

test.each([
  ['of a key that was not given', first.privateKey, 'key_unknown'],
  ['without a signature', null, 'seal_unsigned'],
])('seals %s are tampering also before a right signature, unless that is accepted', async (_, key, kind) => {
  const set = chainOf(key, keyPair.privateKey);
  const result = await verifySet(set);
  expect(resultOf(result)).toEqual(['tampered', kind]);
  expect(result.verification.findings.sorted.map(describeFinding).join()).toContain('--accept-confirmed');
  const accepted = await verifySet(set, { acceptsConfirmed: true });
  expect(resultOf(accepted)).toEqual(['incomplete', kind]);
});

test('a key that was replaced twice is accepted for both, if a right signature follows', async () => {
  const set = chainOf(null, first.privateKey, second.privateKey, keyPair.privateKey);
  expect(resultOf(await verifySet(set, { acceptsConfirmed: true }))).toEqual([
    ...['incomplete', 'seal_unsigned', 'key_unknown', 'key_unknown'],
  ]);
});

test('seals of another key are not accepted without a right signature behind them', async () => {
  const behind = chainOf(keyPair.privateKey, first.privateKey);
  expect(resultOf(await verifySet(behind, { acceptsConfirmed: true }))).toEqual(['tampered', 'key_unknown']);
  const between = chainOf(keyPair.privateKey, first.privateKey, keyPair.privateKey);
  expect(resultOf(await verifySet(between, { acceptsConfirmed: true }))).toEqual(['tampered', 'key_unknown']);
  const other = chainOf(first.privateKey);
  other.seal('stopped');
  other.restartWithNewChain();
  other.seal('stopped');
  expect((await verifySet(other, { acceptsConfirmed: true })).verdict).toBe('tampered');
});

test.each([
  ['without a signature', null, 'seal_unsigned'],
  ['of another key', first.privateKey, 'key_unknown'],
])('planted seals %s with a later number do not hide a fault behind them', async (_, privateKey, kind) => {
  const set = new AuditSetWriter().run([...block, ...block, ...block]);
  set.seal('stopped');
  const { chain } = JSON.parse(set.files[0]?.[0] ?? '');
  const last = { chain, seq: 900_000_000_000_000, hash: 'f'.repeat(64) };
  const forger = new Sealer({ chain, last, privateKey });
  const forged = [1, 2].map((lost) => forger.seal('sealed', { now: Date.UTC(2026, 10, 29), lost }).trimEnd());
  set.files[1]?.splice(1, 0, ...forged);
  set.files[2]?.splice(1, 1);
  expect((await verifySet(set)).kinds).toEqual([kind, 'lines_removed']);
});

test('more keys than anybody replaces stay tampering', async () => {
  const keys = Array.from({ length: 1001 }, (_, index) => (index % 2 === 0 ? null : first.privateKey));
  const set = chainOf(...keys, keyPair.privateKey);
  const { verdict, verification } = await verifySet(set, { acceptsConfirmed: true });
  expect([verdict, verification.findings.count('tampering')]).toEqual(['tampered', 1]);
});
