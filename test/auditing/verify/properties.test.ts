/** Properties of the verification: every tampering is found at its place, and nothing is found that is not there. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isSealLine } from '../../../src/audit/seals/seal.ts';
import { isRecordLine } from '../../../src/auditing/reading/record-line.ts';
import { type AuditSet, AuditSetWriter, keyPair, type Step } from './audit-set.ts';
import { type At, allCompressions, includes, verifySet } from './verify-set.ts';

/** More by hand: `RUNS=2000`. */
const runs = Number(process.env.RUNS ?? 20);

const count = fc.integer({ min: 0, max: 6 });
const write: fc.Arbitrary<Step> = fc.record({ do: fc.constant('write' as const), lines: count });
const calm = fc.oneof(
  { weight: 4, arbitrary: write },
  fc.constantFrom<Step>({ do: 'seal' }, { do: 'rotate' }, { do: 'rename' }, { do: 'restart' }),
);
const wild = fc.oneof(
  { weight: 3, arbitrary: calm },
  fc.record({ do: fc.constant('kill' as const), half: fc.boolean() }),
  fc.record({ do: fc.constant('lose' as const), records: fc.integer({ min: 1, max: 9 }) }),
);
const stormy = fc.oneof(
  { weight: 4, arbitrary: wild },
  fc.record({
    do: fc.constant('copytruncate' as const),
    lines: count,
    seals: fc.integer({ min: 0, max: 3 }),
  }),
);
const steps = (step: fc.Arbitrary<Step>) => fc.array(step, { minLength: 3, maxLength: 30 });
const isSigned = fc.boolean();

function setOf(made: readonly Step[], signed: boolean): AuditSetWriter {
  const set = new AuditSetWriter({ privateKey: signed ? keyPair.privateKey : null }).run(made);
  set.seal('stopped');
  return set;
}

const options = (signed: boolean) => ({
  compressions: allCompressions,
  publicKeys: signed ? [keyPair.publicKey] : null,
});

test('a set that was rotated and restarted is sound, whatever the order in which it is given', async () => {
  await fc.assert(
    fc.asyncProperty(steps(calm), isSigned, fc.boolean(), async (made, signed, isReversed) => {
      const order = (paths: readonly string[]) => (isReversed ? paths.toReversed() : paths);
      const { kinds, verdict } = await verifySet(setOf(made, signed), { ...options(signed), order });
      expect(kinds).toEqual([]);
      expect(verdict).toBe('sound');
    }),
    { numRuns: runs },
  );
});

test('kills, lost records and copytruncate are gaps and never tampering', async () => {
  await fc.assert(
    fc.asyncProperty(steps(stormy), isSigned, async (made, signed) => {
      const { kinds, verdict, verification } = await verifySet(setOf(made, signed), options(signed));
      expect(verdict, kinds.join()).not.toBe('tampered');
      const lost = made.reduce((sum, step) => sum + (step.do === 'lose' ? step.records : 0), 0);
      const found = verification.findings.sorted.filter(({ kind }) => kind === 'records_lost');
      expect(found.reduce((sum, each) => sum + (each.count ?? 0), 0)).toBe(lost);
    }),
    { numRuns: runs },
  );
});

test('without its oldest files a set is not tampered with', async () => {
  await fc.assert(
    fc.asyncProperty(steps(wild), fc.nat(), async (made, removed) => {
      const set = setOf(made, true);
      const files = set.files.slice(removed % set.files.length);
      const { verdict, kinds } = await verifySet({ files, halves: new Map() }, options(true));
      expect(verdict, kinds.join()).not.toBe('tampered');
    }),
    { numRuns: runs },
  );
});

/** Lines as text of one byte a character, so that a changed byte stays a byte. */
type Tamper = (set: AuditSet, at: At & { readonly random: number }) => At;

const lineOf = ({ files }: AuditSet, { file, line }: At) => files[file]?.[line - 1] ?? '';

const tampers: Record<string, Tamper> = {
  'a flipped bit': (set, at) => {
    const bytes = Buffer.from(lineOf(set, at), 'latin1');
    const index = at.random % bytes.length;
    bytes[index] = (bytes[index] ?? 0) ^ (1 << ((at.random >> 8) % 8));
    set.files[at.file]?.splice(at.line - 1, 1, bytes.toString('latin1'));
    return at;
  },
  'a deleted line': (set, at) => {
    set.files[at.file]?.splice(at.line - 1, 1);
    return at;
  },
  'a cut line': (set, at) => {
    const line = lineOf(set, at);
    set.files[at.file]?.splice(at.line - 1, 1, line.slice(0, at.random % line.length));
    return at;
  },
  'an inserted line': (set, at) => {
    const line = `{"type":"message","time":"2026-11-29T00:00:00.000Z","inserted":${at.random}}`;
    set.files[at.file]?.splice(at.line - 1, 0, line);
    return at;
  },
  'a duplicated line': (set, at) => {
    set.files[at.file]?.splice(at.line - 1, 0, lineOf(set, at));
    // Of a seal the second is reported; of two equal records either may be.
    return isSealLine(Buffer.from(lineOf(set, at))) ? { ...at, line: at.line + 1 } : at;
  },
  'two neighbours that changed places': (set, at) => {
    const lines = set.files[at.file];
    const other = lines?.[at.line];
    // The last line of a file has no neighbour.
    if (lines === undefined || other === undefined) return tampers['a deleted line']?.(set, at) ?? at;
    lines.splice(at.line - 1, 2, other, lineOf(set, at));
    return at;
  },
  'a line moved to the begin of its file': (set, at) => {
    const lines = set.files[at.file] ?? [];
    if (at.line === 1) return tampers['a deleted line']?.(set, at) ?? at;
    lines.unshift(...lines.splice(at.line - 1, 1));
    return at;
  },
  'a file that ends before this line': (set, at) => {
    // Nothing proves that the last file had more lines.
    if (at.file === set.files.length - 1) return tampers['a deleted line']?.(set, at) ?? at;
    set.files[at.file]?.splice(at.line - 1);
    return at;
  },
};

/** The places between the first seal and the last one: what is outside is not proven by any seal. */
function provenPlaces({ files }: AuditSet): At[] {
  const all = files.flatMap((lines, file) => lines.map((text, index) => ({ file, line: index + 1, text })));
  const isSeal = ({ text }: { readonly text: string }) => isSealLine(Buffer.from(text));
  const last = all.findLastIndex(isSeal);
  return all.slice(1, last);
}

/** The only line of the file was changed so that it is no record: nothing shows that it was an audit file. */
function isUnknowable(lines: readonly string[]): boolean {
  return lines.length > 0 && !lines.some((line) => isRecordLine(Buffer.from(line)));
}

for (const [name, tamper] of Object.entries(tampers)) {
  test(`finds ${name} in any file, at its place`, async () => {
    await fc.assert(
      fc.asyncProperty(steps(wild), isSigned, fc.nat(), fc.nat(), async (made, signed, where, random) => {
        const set = setOf([{ do: 'write', lines: 2 }, { do: 'seal' }, ...made, { do: 'seal' }], signed);
        const places = provenPlaces(set);
        const chosen = places[where % places.length];
        if (chosen === undefined) return;
        const original = lineOf(set, chosen);
        const neighbour = lineOf(set, { ...chosen, line: chosen.line + 1 });
        const at = tamper(set, { ...chosen, random });
        if (set.files.some(isUnknowable)) {
          await expect(verifySet(set, options(signed))).rejects.toThrow(
            'is not an audit file of the gateway',
          );
          return;
        }
        const { verdict, verification, paths, kinds } = await verifySet(set, options(signed));
        expect(verdict, `${kinds.join()} ${JSON.stringify(chosen)} ${original} ${neighbour}`).toBe(
          'tampered',
        );
        const tampering = verification.findings.sorted.filter(({ severity }) => severity === 'tampering');
        expect(
          tampering.some((finding) => includes(finding, { paths, at })),
          `${JSON.stringify(tampering)} ${JSON.stringify(at)}`,
        ).toBe(true);
        // A seal that was moved to the begin is missing in one place and wrong in another, and stands before other lines.
        const most = name === 'a line moved to the begin of its file' ? 3 : 2;
        expect(tampering.length, JSON.stringify(tampering)).toBeLessThanOrEqual(most);
      }),
      { numRuns: runs },
    );
  });
}

test('finds a removed file in the middle', async () => {
  await fc.assert(
    fc.asyncProperty(steps(wild), isSigned, fc.nat(), async (made, signed, where) => {
      const block: Step[] = [{ do: 'write', lines: 2 }, { do: 'rotate' }];
      const set = setOf([...block, ...made, ...block, ...made, ...block, { do: 'write', lines: 1 }], signed);
      const removed = 1 + (where % (set.files.length - 2));
      if (set.files[removed]?.length === 0) return;
      set.files.splice(removed, 1);
      const { verdict, verification, paths } = await verifySet(set, options(signed));
      expect(verdict).toBe('tampered');
      const tampering = verification.findings.sorted.filter(({ severity }) => severity === 'tampering');
      expect(tampering).toHaveLength(1);
      const [finding] = tampering;
      const at = { file: removed, line: 0 };
      expect(finding !== undefined && includes(finding, { paths, at }), JSON.stringify(tampering)).toBe(true);
    }),
    { numRuns: runs },
  );
});
