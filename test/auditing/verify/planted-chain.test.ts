/** Genuine seals of another gateway with the same key, planted in a file: each signature is right. */
import { expect, test } from 'vitest';
import { AuditSetWriter, type Step } from './audit-set.ts';
import { verifySet } from './verify-set.ts';

const sealedLines: readonly Step[] = [{ do: 'write', lines: 3 }, { do: 'seal' }];

/** The seals of another gateway: `started`, `sealed`, `stopped`. */
function otherSeals(): [string, string, string] {
  const other = new AuditSetWriter({ now: Date.UTC(2026, 10, 29) + 10 });
  other.seal('sealed');
  other.seal('stopped');
  const [started = '', sealed = '', stopped = ''] = other.files[0] ?? [];
  return [started, sealed, stopped];
}

/** `stopped` and `resumed`, which cover no line, stand in its lines 6 and 7. */
const restarted = () => new AuditSetWriter().run([...sealedLines, { do: 'restart' }, ...sealedLines]);

test.each([
  ['its first seal', 0],
  ['a later seal', 1],
  ['its last seal', 2],
] as const)(
  '%s is found between the seals of a chain and among its lines, which it does not take',
  async (_, index) => {
    for (const line of [2, 6]) {
      const set = restarted();
      set.files[0]?.splice(line, 0, otherSeals()[index]);
      const { kinds, verification } = await verifySet(set);
      expect(kinds).toEqual(['chain_inserted']);
      // The first seal of a chain begins one, until the file goes back to the former one.
      expect(verification.chains.size).toBe(index === 0 ? 2 : 1);
      const [finding] = verification.findings.sorted;
      expect(finding?.from?.line).toBeLessThanOrEqual(line + 1);
      expect(finding?.to?.line).toBeGreaterThanOrEqual(line + 1);
    }
  },
);

test('a seal of a gateway whose files are given too is found in the file of the other one', async () => {
  const set = restarted();
  const other = new AuditSetWriter({ now: Date.UTC(2026, 10, 29) - 9 }).run([
    ...sealedLines,
    { do: 'rename' },
  ]);
  other.seal('stopped');
  set.files[0]?.splice(2, 0, other.files[0]?.at(-1) ?? '');
  const files = [...other.files, ...set.files];
  const { kinds, verification } = await verifySet({ files, halves: new Map() });
  expect(kinds).toEqual(['chain_inserted']);
  const { chain } = JSON.parse(other.files[0]?.[0] ?? '');
  expect(verification.findings.sorted[0]).toMatchObject({ chain });
});

test('a later seal is found behind the last seal of a chain', async () => {
  const set = restarted();
  set.files[0]?.push(otherSeals()[1]);
  expect((await verifySet(set)).kinds).toEqual(['chain_inserted']);
});

test('a whole chain is found at the end of a file if the former chain goes on in the next file', async () => {
  const set = restarted().run([{ do: 'rotate' }, ...sealedLines, { do: 'rotate' }, ...sealedLines]);
  const others = otherSeals();
  set.files[0]?.push(...others);
  const { kinds, verification } = await verifySet(set);
  expect(kinds).toEqual(['chain_inserted']);
  expect(verification.findings.sorted[0]).toMatchObject({ chain: JSON.parse(others[0]).chain });
  // Once, also if it goes on in the same file too.
  set.files[0]?.push(...(set.files[1]?.splice(0, 4) ?? []));
  expect((await verifySet(set)).kinds).toEqual(['chain_inserted']);
});

test('many of them are one finding', async () => {
  const set = restarted();
  const [started, sealed, stopped] = otherSeals();
  set.files[0]?.splice(6, 0, started, sealed);
  set.files[0]?.push(stopped);
  expect((await verifySet(set)).kinds).toEqual(['chain_inserted']);
});

test('a gateway that begins another chain in its file is no such finding', async () => {
  const set = restarted();
  set.seal('stopped');
  set.restartWithNewChain();
  set.run([...sealedLines, { do: 'rename' }, ...sealedLines]);
  set.seal('stopped');
  set.restartWithNewChain();
  set.seal('stopped');
  expect((await verifySet(set)).kinds).toEqual([]);
});
