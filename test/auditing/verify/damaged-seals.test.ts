/** Seals that were damaged where no later seal shows it, and seals that a crash cut off. */
import { expect, test } from 'vitest';
import { isCutSeal } from '../../../src/auditing/verify/damaged-seals.ts';
import { AuditSetWriter } from './audit-set.ts';
import { verifySet } from './verify-set.ts';

const sealedLines = [{ do: 'write', lines: 3 } as const, { do: 'seal' } as const];

const inLast = (set: AuditSetWriter, change: (seal: string) => string) => {
  const lines = set.files.at(-1) ?? [];
  lines.push(change(lines.pop() ?? ''));
};

test('a damaged last seal does not hide a change of the lines before it', async () => {
  const set = new AuditSetWriter().run([...sealedLines, ...sealedLines]);
  inLast(set, (seal) => seal.replace('"lines":3', '"lines":03'));
  set.files[0]?.splice(6, 1, set.record());
  const { verdict, kinds, verification } = await verifySet(set);
  expect([verdict, kinds]).toEqual(['tampered', ['seal_damaged', 'tail_unsealed']]);
  expect(verification.findings.sorted[0]).toMatchObject({ from: { line: 9 }, seals: { first: 2, last: 2 } });
});

test('damaged seals at the end of a chain, before another chain, are tampering', async () => {
  const set = new AuditSetWriter().run([...sealedLines, ...sealedLines]);
  inLast(set, (seal) => `${seal} `);
  set.restartWithNewChain();
  set.run(sealedLines);
  expect((await verifySet(set)).kinds).toEqual(['seal_damaged', 'tail_unsealed']);
});

test('damaged seals before the first chain are tampering', async () => {
  const set = new AuditSetWriter().run(sealedLines);
  set.files[0] = (set.files[0] ?? []).map((line) => line.replace('"type":"seal",', '"type":"seal", '));
  set.files.push([]);
  set.restartWithNewChain();
  set.run(sealedLines);
  expect((await verifySet(set)).kinds).toEqual(['seal_damaged', 'begin_unsealed']);
});

test('a damaged seal among first lines that are not proven is tampering', async () => {
  const set = new AuditSetWriter().run([...sealedLines, { do: 'write', lines: 9 }, { do: 'seal' }]);
  const [, , , , seal = '', ...rest] = set.files[0] ?? [];
  set.files[0] = [seal, ...rest.slice(2)];
  expect((await verifySet(set)).kinds).toEqual(['lines_removed']);
  set.files[0] = [seal.replace('sealed', 'Sealed'), ...rest.slice(2)];
  expect((await verifySet(set)).kinds).toEqual(['seal_damaged']);
});

test('a damaged seal is no effect of what shortened the file', async () => {
  const set = new AuditSetWriter().run(sealedLines);
  inLast(set, (seal) => seal.replace('sealed', 'Sealed'));
  set.run([{ do: 'copytruncate', lines: 2, seals: 2 }, ...sealedLines]);
  expect((await verifySet(set)).kinds).toEqual(['seal_damaged']);
});

test('the begin of a seal that a crash cut off is no damage, at any length, and every other change is', () => {
  for (const privateKey of [null, undefined] as const) {
    const set = new AuditSetWriter(privateKey === undefined ? {} : { privateKey }).run(sealedLines);
    for (const seal of (set.files[0] ?? []).filter((line) => line.startsWith('{"type":"seal"'))) {
      for (let length = 15; length < seal.length; length++) {
        const cut = seal.slice(0, length);
        expect(isCutSeal(Buffer.from(cut)), cut).toBe(true);
        const last = seal.charCodeAt(length - 1);
        const flipped = `${seal.slice(0, length - 1)}${String.fromCharCode(last ^ 0x80)}${seal.slice(length)}`;
        expect(isCutSeal(Buffer.from(flipped, 'latin1')), flipped).toBe(false);
      }
      expect(isCutSeal(Buffer.from(`${seal.slice(0, -1)}|`))).toBe(false);
    }
  }
});

test('a crash within a seal is a gap', async () => {
  const set = new AuditSetWriter().run(sealedLines);
  const [seal = ''] = set.files[0] ?? [];
  set.write(1);
  set.add(seal.slice(0, 200));
  expect((await verifySet(set)).kinds).toEqual(['tail_unsealed']);
  set.run([{ do: 'kill', half: false }, ...sealedLines]);
  expect((await verifySet(set)).kinds).toEqual(['sealed_late']);
});
