/** Files with more chains and returning seals than any gateway writes: the time must not grow with their square. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ChainCheck } from '../../../src/auditing/verify/chain-check.ts';
import { chainEndFindings } from '../../../src/auditing/verify/chain-ends.ts';
import { ChainPeriods } from '../../../src/auditing/verify/chain-periods.ts';
import { Findings } from '../../../src/auditing/verify/findings.ts';
import { verificationJson } from '../../../src/auditing/verify/json.ts';
import { Interval } from '../../../src/auditing/verify/lines-since-seal.ts';
import { ReturningSeals } from '../../../src/auditing/verify/repeated-seals.ts';
import { summarize } from '../../../src/auditing/verify/summary.ts';
import { describeVerification } from '../../../src/auditing/verify/text.ts';
import { FaultLocator } from '../../../src/auditing/verify/wrong-lines.ts';
import { AuditSetWriter, keyPair } from './audit-set.ts';
import { verifySet } from './verify-set.ts';

const time = (second: number) => new Date(Date.UTC(2026, 10, 29) + second * 1000).toISOString();

/** A chain with its first and last seal at these seconds. */
function chainAt(begin: number, end: number, onRead = () => {}): ChainCheck {
  const sealAt = (second: number, seq: number) => ({ time: time(second), seq, event: 'sealed' });
  const line = { file: 'audit.log', number: 1, bytes: Buffer.from('{}'), isWhole: true };
  const chain = {
    chain: 'c',
    interval: new Interval(),
    first: { seal: sealAt(begin, 3), line },
    tip: { seal: sealAt(end, 4), seq: 4, place: { file: 'audit.log', line: 1, time: null } },
  };
  const counting = new Proxy(chain, {
    get: (target, field) => {
      onRead();
      return Reflect.get(target, field);
    },
  });
  return counting as unknown as ChainCheck;
}

test('which chains go on at the same time is as their definition says, for any periods', () => {
  const period = fc.tuple(fc.nat(12), fc.nat(4)).map(([begin, length]) => [begin, begin + length] as const);
  fc.assert(
    fc.property(fc.array(period, { maxLength: 8 }), (all) => {
      const chains = all.map(([begin, end]) => chainAt(begin, end));
      const periods = new ChainPeriods(chains);
      for (const [index, [begin, end]] of all.entries()) {
        const others = all.filter((_, other) => other !== index);
        const chain = chains[index] as ChainCheck;
        const isWithin = others.some(([from, to]) => from <= begin && begin < to);
        expect(periods.isBegunWithinAnother(chain)).toBe(isWithin);
        const goesOn = others.some(([from]) => begin <= from && from < end);
        expect(periods.goesOnWhileAnotherBegins(chain)).toBe(goesOn);
      }
    }),
  );
});

test('the begins and ends of a thousand chains take a bounded number of looks at each chain', () => {
  let looks = 0;
  const count = () => looks++;
  const chains = Array.from({ length: 1000 }, (_, index) => chainAt(index * 2, index * 2 + 1, count));
  const found = chainEndFindings({
    before: new Interval(),
    chains,
    current: null,
    partial: null,
  });
  expect(found.filter(({ kind }) => kind === 'chain_begin_missing')).toHaveLength(999);
  expect(looks).toBeLessThan(100 * chains.length);
});

test('a seal that returns is compared with the lines before it only while there is time', () => {
  const [sealed = '', ...lines] = new AuditSetWriter({ privateKey: keyPair.privateKey })
    .run([{ do: 'write', lines: 1 }, { do: 'seal' }])
    .files.flat();
  expect([sealed, ...lines]).toHaveLength(3);
  const bytes = Buffer.from(lines[0] ?? '');
  const interval = new Interval();
  interval.add({ file: 'audit.log', number: 4, bytes: Buffer.from('{"type":"x"}'), isWhole: true });
  interval.add({ file: 'audit.log', number: 5, bytes, isWhole: true });
  const { sha256 } = JSON.parse(lines[1] ?? '');
  const seal = { seq: 1, lines: 1, sha256, hash: 'h' } as never;
  const place = { file: 'audit.log', line: 6, time: null };
  const remaining = (maxBytes: number) => {
    const returning = new ReturningSeals({ findings: new Findings(), locator: new FaultLocator(maxBytes) });
    const results = [1, 2].map(() => returning.check({ seal, place, facts: {}, interval }).count);
    return results;
  };
  expect(remaining(1_000_000)).toEqual([1, 1]);
  expect(remaining(interval.keptBytes + 1)).toEqual([1, 2]);
});

test('of many chains the text names twenty, and JSON all', async () => {
  const set = new AuditSetWriter();
  for (let chain = 1; chain < 25; chain++) set.restartWithNewChain();
  const { verification } = await verifySet(set);
  const summary = summarize(verification, { hasPublicKey: true });
  const text = describeVerification(verification, summary);
  expect(text.match(/^ {2}chain /gm)).toHaveLength(20);
  expect(text).toContain('and 5 more chains; --json has all');
  expect(verificationJson(verification, { summary, hasPublicKey: true })).toHaveProperty('chains.length', 25);
});

test('files with too many chains are refused', async () => {
  const set = new AuditSetWriter();
  for (let chain = 0; chain < 3; chain++) set.restartWithNewChain();
  expect((await verifySet(set, { maxChains: 4 })).verdict).toBe('incomplete');
  await expect(verifySet(set, { maxChains: 3 })).rejects.toThrow('more than 3 chains');
});
