import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkOcspSuccession } from '../../../src/revocation/ocsp/succession.ts';

type Answer = Parameters<typeof checkOcspSuccession>[0];
const at = (thisUpdate: number, status: Answer['status'], freshUntil = 10): Answer => ({
  ...{ thisUpdate, status, freshUntil },
});
const now = 5;

it.each<[string, Answer, Answer | null, 'new' | 'known' | 'refused']>([
  ['the first answer', at(1, 'unknown'), null, 'new'],
  ['good, later', at(2, 'good'), at(1, 'good'), 'new'],
  ['good, the same again', at(1, 'good'), at(1, 'good'), 'known'],
  ['good, from a slower replica', at(1, 'good'), at(2, 'good'), 'known'],
  ['revoked after good', at(2, 'revoked'), at(1, 'good'), 'new'],
  ['revoked with the same time as good', at(1, 'revoked'), at(1, 'good'), 'new'],
  ['unknown after good', at(2, 'unknown'), at(1, 'good'), 'new'],
  ['good with the same time as revoked', at(1, 'good'), at(1, 'revoked'), 'refused'],
  ['good from before revoked', at(1, 'good'), at(2, 'revoked'), 'refused'],
  ['good after revoked', at(2, 'good'), at(1, 'revoked'), 'new'],
  ['unknown after revoked', at(2, 'unknown'), at(1, 'revoked'), 'refused'],
  ['revoked from before good', at(1, 'revoked'), at(2, 'good'), 'refused'],
  ['good after unknown', at(2, 'good'), at(1, 'unknown'), 'new'],
  ['good from before unknown', at(1, 'good'), at(2, 'unknown'), 'refused'],
  ['good from before unknown, which has expired', at(1, 'good'), at(2, 'unknown', 4), 'new'],
  ['unknown from before good, which has expired', at(1, 'unknown'), at(2, 'good', 4), 'new'],
  ['revoked from before good, which has expired', at(1, 'revoked'), at(2, 'good', 4), 'new'],
  ['good from before revoked, however long ago', at(1, 'good'), at(2, 'revoked', 4), 'refused'],
  ['good from before good, with a later expiry', at(1, 'good', 11), at(2, 'good'), 'new'],
])('%s', (_, next, last, expected) => {
  const result = checkOcspSuccession(next, last, now);
  expect(typeof result === 'string' ? result : 'refused').toBe(expected);
});

const answer = fc.record({
  thisUpdate: fc.nat(5),
  status: fc.constantFrom<Answer['status']>('good', 'revoked', 'unknown'),
  freshUntil: fc.constant(10),
});

it('ends with the same answer, however often the same responses are replayed', () => {
  const last = (answers: readonly Answer[], from: Answer | null) =>
    answers.reduce<Answer | null>(
      (known, next) => (checkOcspSuccession(next, known, now) === 'new' ? next : known),
      from,
    );
  fc.assert(
    fc.property(fc.array(answer), (answers) => {
      const known = last(answers, null);
      const replayed = last(answers, known);
      expect(replayed?.thisUpdate ?? -1).toBeGreaterThanOrEqual(known?.thisUpdate ?? -1);
      if (known?.status === 'revoked') expect(replayed?.status === 'unknown').toBe(false);
    }),
  );
});
