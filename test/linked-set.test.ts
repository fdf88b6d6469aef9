import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Roll } from '../src/linked-set.ts';

it('tells who is here, in the order of coming, however they come and go', () => {
  // true: the next one comes; a number: of those who ever came, that one leaves, perhaps not for the first time.
  const step = fc.oneof(fc.constant(true as const), fc.nat(40));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const roll = new Roll<number>();
      const places: ReturnType<typeof roll.enter>[] = [];
      let here: number[] = [];
      for (const next of steps) {
        if (next === true) here.push(places.push(roll.enter(places.length)) - 1);
        else {
          roll.leave(places[next] ?? null);
          here = here.filter((each) => each !== next);
        }
        expect([roll.members(), roll.size]).toEqual([here, here.length]);
      }
    }),
  );
});

it('holds nothing of who has left', () => {
  const roll = new Roll<object>();
  const places = [roll.enter({}), roll.enter({}), roll.enter({})];
  for (const place of places) roll.leave(place);
  for (const place of places) expect(place).toEqual({ member: null, before: null, after: null });
});
