/** What the verification says about the lines and seals around a restart of the gateway. */
import { describe, expect, test } from 'vitest';
import { AuditSetWriter } from './audit-set.ts';
import { type Verified, verifySet } from './verify-set.ts';

const sealedLines = [{ do: 'write', lines: 3 } as const, { do: 'seal' } as const];
const crash = { do: 'kill', half: false } as const;

function resultOf({ verdict, kinds }: Verified): unknown[] {
  return [verdict, ...kinds];
}

describe('a restart behind a seal that is no orderly stop', () => {
  test('is a gap, also if the file was cut back to that seal and no line is left behind it', async () => {
    const set = new AuditSetWriter().run([...sealedLines, crash, ...sealedLines]);
    const result = await verifySet(set);
    expect(resultOf(result)).toEqual(['incomplete', 'stop_missing']);
    expect(result.verification.findings.sorted[0]).toMatchObject({ from: { line: 5 }, to: { line: 6 } });
  });

  test('is one gap each time', async () => {
    const set = new AuditSetWriter().run([...sealedLines, crash, crash, ...sealedLines, crash]);
    expect(resultOf(await verifySet(set))).toEqual([
      'incomplete',
      'stop_missing',
      'stop_missing',
      'stop_missing',
    ]);
  });

  test('is no gap behind an orderly stop, in the same file or the next one', async () => {
    const set = new AuditSetWriter().run([...sealedLines, { do: 'restart' }, ...sealedLines]);
    set.seal('stopped');
    set.files.push([]);
    set.run([crash, ...sealedLines]);
    expect(resultOf(await verifySet(set))).toEqual(['sound']);
  });

  test('is no gap if the seal before it is in an older file that was not given', async () => {
    const set = new AuditSetWriter().run([...sealedLines, { do: 'rename' }, crash, ...sealedLines]);
    expect(resultOf(await verifySet({ files: set.files.slice(1), halves: new Map() }))).toEqual(['sound']);
  });

  test('with lines that no seal covered is one gap and not two', async () => {
    const set = new AuditSetWriter().run([...sealedLines, { do: 'write', lines: 2 }, crash]);
    expect(resultOf(await verifySet(set))).toEqual(['incomplete', 'sealed_late']);
  });
});

describe('seals that are missing before a restart, which the gateway remembered', () => {
  const cutBack = () => {
    const set = new AuditSetWriter().run([...sealedLines, ...sealedLines, ...sealedLines]);
    set.cutBackAndRestart(2);
    return set;
  };

  test('are tampering', async () => {
    const set = cutBack().run(sealedLines);
    expect(resultOf(await verifySet(set))).toEqual(['tampered', 'seals_missing']);
  });

  test('are tampering also if something shortens the file after the restart', async () => {
    const set = cutBack();
    set.write(1);
    set.seal('truncated');
    expect(resultOf(await verifySet(set.run(sealedLines)))).toEqual(['tampered', 'seals_missing']);
  });
});

describe('a line between an orderly stop and the restart', () => {
  function stopped(): AuditSetWriter {
    const set = new AuditSetWriter().run(sealedLines);
    set.seal('stopped');
    return set;
  }

  test('was inserted if it is a record, and is named', async () => {
    const set = stopped();
    set.write(2);
    const result = await verifySet(set.run([crash, ...sealedLines]));
    expect(resultOf(result)).toEqual(['tampered', 'lines_inserted']);
    const [finding] = result.verification.findings.sorted;
    expect(finding).toMatchObject({ from: { line: 7 }, to: { line: 9 }, count: 2 });
  });

  test('was inserted also if lines of another program are added later', async () => {
    const set = stopped();
    set.write(1);
    set.run([crash]);
    set.files[0]?.splice(6, 0, 'text');
    expect(resultOf(await verifySet(set))).toEqual(['tampered', 'lines_inserted', 'other_lines']);
  });

  test('was inserted also among more lines than the verification keeps', async () => {
    const set = stopped();
    set.write(9000);
    expect(resultOf(await verifySet(set.run([crash])))).toEqual(['tampered', 'lines_inserted']);
  });

  test('is a gap if it is the part of the first seal that a crash of the next process left', async () => {
    const set = stopped();
    const [seal = ''] = set.files[0] ?? [];
    set.add(seal.slice(0, 99));
    expect(resultOf(await verifySet(set.run([crash])))).toEqual(['incomplete', 'sealed_late']);
  });
});
