/** Property: files of a signed chain in which one line was changed, removed, inserted or moved are never sound (exit code 0). */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { type AuditSet, AuditSetWriter, keyPair, type Step } from './audit-set.ts';
import { verifySet } from './verify-set.ts';

/** More by hand: `RUNS=5000`. */
const numRuns = Number(process.env.RUNS ?? 20);

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('write' as const), lines: fc.integer({ min: 0, max: 4 }) }),
    },
    fc.constantFrom<Step>({ do: 'seal' }, { do: 'rotate' }, { do: 'rename' }, { do: 'restart' }),
  ),
  { minLength: 3, maxLength: 25 },
);

function setOf(made: readonly Step[]): AuditSetWriter {
  const set = new AuditSetWriter({ privateKey: keyPair.privateKey }).run([
    { do: 'write', lines: 2 },
    ...made,
    { do: 'write', lines: 1 },
  ]);
  set.seal('stopped');
  return set;
}

/** Seals of another gateway with the same key, at the same time. */
const strangers = (() => {
  const other = new AuditSetWriter({ privateKey: keyPair.privateKey, now: Date.UTC(2026, 10, 29) + 20 });
  return other
    .run([{ do: 'seal' }, { do: 'restart' }, { do: 'write', lines: 1 }, { do: 'seal' }])
    .files.flat();
})();

/** What an editor of the files can put in a line. */
const foreign = fc.oneof(
  fc.constantFrom('', ' ', '{}', 'text', '{"type":"seal",', '{"type":"message"}'),
  fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
  fc.nat().map((conn) => `{"type":"message","time":"2026-11-29T00:00:00.000Z","conn_id":"${conn}"}`),
  fc.constantFrom(...strangers),
);

/** A line by the index of its file and its own. */
type Place = readonly [file: number, line: number];

const places = ({ files }: AuditSet): Place[] =>
  files.flatMap((lines, file) => lines.map((_, line): Place => [file, line]));
const lineAt = ({ files }: AuditSet, [file, line]: Place) => files[file]?.[line] ?? '';

interface Chosen {
  readonly set: AuditSetWriter;
  readonly place: Place;
  /** Another line of the files. */
  readonly other: Place;
  readonly text: string;
  readonly random: number;
}

function put({ files }: AuditSet, [file, line]: Place, ...lines: readonly string[]): void {
  files[file]?.splice(line, 1, ...lines);
}

const edits: Record<string, (chosen: Chosen) => void> = {
  'a changed byte': ({ set, place, random }) => {
    const bytes = Buffer.from(lineAt(set, place), 'latin1');
    const index = random % bytes.length;
    bytes[index] = (bytes[index] ?? 0) ^ (1 + ((random >> 8) % 255));
    put(set, place, bytes.toString('latin1'));
  },
  'a line with other text': ({ set, place, text }) => put(set, place, text),
  'a line with the text of another one': ({ set, place, other }) => put(set, place, lineAt(set, other)),
  'a longer line': ({ set, place, text }) => put(set, place, `${lineAt(set, place)}${text}`),
  'a shorter line': ({ set, place, random }) => {
    const line = lineAt(set, place);
    put(set, place, line.slice(0, random % line.length));
  },
  'a line in two': ({ set, place, random }) => {
    const line = lineAt(set, place);
    const at = random % line.length;
    put(set, place, line.slice(0, at), line.slice(at));
  },
  'a removed line': ({ set, place }) => put(set, place),
  'an inserted line': ({ set, place, text }) => put(set, place, text, lineAt(set, place)),
  'an inserted copy of another line': ({ set, place, other }) =>
    put(set, place, lineAt(set, other), lineAt(set, place)),
  'a moved line': ({ set, place, other }) => {
    const line = lineAt(set, place);
    put(set, place);
    set.files[other[0]]?.splice(other[1], 0, line);
  },
};

/** `refused`: not verified at all, such as a file without any record (exit code 64). */
async function verdictOf(set: AuditSet): Promise<'sound' | 'incomplete' | 'tampered' | 'refused'> {
  try {
    return (await verifySet(set)).verdict;
  } catch (cause) {
    if (cause instanceof UsageError) return 'refused';
    throw cause;
  }
}

const chosen = fc.record({ made: steps, where: fc.nat(), to: fc.nat(), text: foreign, random: fc.nat() });

test.each(Object.keys(edits))('%s is never sound', async (name) => {
  await fc.assert(
    fc.asyncProperty(chosen, async ({ made, where, to, text, random }) => {
      const set = setOf(made);
      const original = set.files.flat();
      // Nothing proves that the first line was the first one and the last line the last one.
      const inner = places(set).slice(1, -1);
      const [place, other] = [inner[where % inner.length], inner[to % inner.length]];
      if (place === undefined || other === undefined) return;
      expect(await verdictOf(set)).toBe('sound');
      edits[name]?.({ set, place, other, text, random });
      // A line that moved over the end of a file is where it was.
      const isSame = JSON.stringify(set.files.flat()) === JSON.stringify(original);
      const verdict = await verdictOf(set);
      const shown = `${JSON.stringify({ place, other, text })}\n${set.files.map((each) => each.join('\n')).join('\n\n')}`;
      expect(verdict === 'sound', shown).toBe(isSame);
    }),
    { numRuns },
  );
});

test('the first and the last line cannot be changed or moved either', async () => {
  await fc.assert(
    fc.asyncProperty(chosen, fc.boolean(), async ({ made, to, text, random }, isFirst) => {
      for (const name of ['a changed byte', 'a line in two', 'a longer line', 'a moved line'])
        if (name !== 'a longer line' || text !== '') {
          const set = setOf(made);
          const place = places(set).at(isFirst ? 0 : -1) ?? [0, 0];
          const inner = places(set).slice(1, -1);
          edits[name]?.({ set, place, other: inner[to % inner.length] ?? [0, 1], text, random });
          expect(await verdictOf(set), `${name} ${isFirst}`).not.toBe('sound');
        }
    }),
    { numRuns },
  );
});
