import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LinkedSet } from '../src/linked-set.ts';

it('lists its members in insertion order after any sequence of additions and deletions', () => {
  // true: add a member; a number: delete the entry of that index, which may be deleted already or not exist yet.
  const step = fc.oneof(fc.constant(true as const), fc.nat(40));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const set = new LinkedSet<number>();
      const entries: ReturnType<typeof set.add>[] = [];
      let expected: number[] = [];
      for (const next of steps) {
        if (next === true) expected.push(entries.push(set.add(entries.length)) - 1);
        else {
          set.delete(entries[next] ?? null);
          expected = expected.filter((each) => each !== next);
        }
        expect([set.members(), set.size]).toEqual([expected, expected.length]);
      }
    }),
  );
});

it('clears an entry when it is deleted', () => {
  const set = new LinkedSet<object>();
  const entries = [set.add({}), set.add({}), set.add({})];
  for (const entry of entries) set.delete(entry);
  for (const entry of entries) expect(entry).toEqual({ member: null, previous: null, next: null });
});
