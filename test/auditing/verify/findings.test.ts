import { expect, test } from 'vitest';
import { newFinding } from '../../../src/auditing/verify/finding.ts';
import { Findings } from '../../../src/auditing/verify/findings.ts';
import { AuditSetWriter } from './audit-set.ts';
import { verifySet } from './verify-set.ts';

function full(severity: 'tampering' | 'gap'): Findings {
  const findings = new Findings();
  for (let count = 0; count < 1000; count++)
    findings.add(newFinding(severity === 'gap' ? 'records_lost' : 'lines_removed', severity, { count }));
  return findings;
}

test('a finding beyond those that are kept counts with the severity that later lines give it', () => {
  const findings = full('gap');
  const late = newFinding('seals_missing', 'gap', {});
  findings.add(late);
  expect([findings.verdict, findings.omitted.gap]).toEqual(['incomplete', 1]);
  findings.change(late, 'tampering');
  expect([findings.verdict, findings.omitted.gap, findings.count('gap')]).toEqual(['tampered', 0, 1000]);
  findings.change(late, 'gap');
  expect([findings.verdict, findings.omitted.gap, findings.count('tampering')]).toEqual(['incomplete', 1, 0]);
});

test('at most 1,000 of each severity are kept, also after a change', () => {
  const findings = full('tampering');
  const gaps = Array.from({ length: 3 }, () => newFinding('seals_missing', 'gap', {}));
  for (const gap of gaps) findings.add(gap);
  for (const gap of gaps) findings.change(gap, 'tampering');
  expect(findings.sorted).toHaveLength(1000);
  expect([findings.omitted.tampering, findings.count('tampering')]).toEqual([3, 1003]);
});

test('findings keep the order in which they were found when their severity changes', () => {
  const findings = new Findings();
  const all = [1, 2, 3].map((count) => newFinding('lines_removed', 'tampering', { count }));
  for (const finding of all) findings.add(finding);
  const [first] = all;
  if (first === undefined) return;
  findings.change(first, 'gap');
  findings.change(first, 'tampering');
  expect(findings.sorted).toEqual(all);
});

test('a thousand gaps do not hide that a later one is tampering', async () => {
  const set = new AuditSetWriter();
  for (let gap = 0; gap < 1001; gap++) {
    set.seal('sealed', 1);
    set.seal('sealed');
  }
  set.write(2);
  set.seal('sealed');
  set.seal('truncated');
  set.seal('stopped');
  const lines = set.files[0] ?? [];
  expect((await verifySet(set)).verdict).toBe('incomplete');
  // The last two before `stopped` change places.
  const [sealed = '', truncated = '', stopped = ''] = lines.splice(-3);
  lines.push(truncated, sealed, stopped);
  const { verdict, verification } = await verifySet(set);
  expect(verdict).toBe('tampered');
  expect(verification.findings.sorted).toHaveLength(1001);
});
