import fc from 'fast-check';
import { expect, it } from 'vitest';
import { checkOcspSuccession } from '../../../src/revocation/ocsp/succession.ts';

type Word = Parameters<typeof checkOcspSuccession>[0];
const at = (thisUpdate: number, status: Word['status'], freshUntil = 10): Word => ({
  ...{ thisUpdate, status, freshUntil },
});
const now = 5;

it.each<[string, Word, Word | null, 'new' | 'known' | 'refused']>([
  ['the first word', at(1, 'unknown'), null, 'new'],
  ['good, later', at(2, 'good'), at(1, 'good'), 'new'],
  ['good, the same again', at(1, 'good'), at(1, 'good'), 'known'],
  ['good, from a slower replica', at(1, 'good'), at(2, 'good'), 'known'],
  ['revoked after good', at(2, 'revoked'), at(1, 'good'), 'new'],
  ['revoked as of the same moment as good', at(1, 'revoked'), at(1, 'good'), 'new'],
  ['unknown after good', at(2, 'unknown'), at(1, 'good'), 'new'],
  ['good as of the same moment as revoked', at(1, 'good'), at(1, 'revoked'), 'refused'],
  ['good from before it was revoked', at(1, 'good'), at(2, 'revoked'), 'refused'],
  ['good after revoked', at(2, 'good'), at(1, 'revoked'), 'new'],
  ['unknown after revoked', at(2, 'unknown'), at(1, 'revoked'), 'refused'],
  ['revoked from before it was good', at(1, 'revoked'), at(2, 'good'), 'refused'],
  ['good after unknown', at(2, 'good'), at(1, 'unknown'), 'new'],
  ['good from before it was unknown', at(1, 'good'), at(2, 'unknown'), 'refused'],
  ['good from before it was unknown, which has ended', at(1, 'good'), at(2, 'unknown', 4), 'new'],
  ['unknown from before it was good, which has ended', at(1, 'unknown'), at(2, 'good', 4), 'new'],
  ['revoked from before it was good, which has ended', at(1, 'revoked'), at(2, 'good', 4), 'new'],
  ['good from before it was revoked, however long ago', at(1, 'good'), at(2, 'revoked', 4), 'refused'],
  ['good from before it was good, that lasts longer', at(1, 'good', 11), at(2, 'good'), 'new'],
])('%s', (_, next, last, expected) => {
  const result = checkOcspSuccession(next, last, now);
  expect(typeof result === 'string' ? result : 'refused').toBe(expected);
});

const word = fc.record({
  thisUpdate: fc.nat(5),
  status: fc.constantFrom<Word['status']>('good', 'revoked', 'unknown'),
  freshUntil: fc.constant(10),
});

it('ends with the same word, however often the same answers come again', () => {
  const last = (words: readonly Word[], from: Word | null) =>
    words.reduce<Word | null>(
      (known, next) => (checkOcspSuccession(next, known, now) === 'new' ? next : known),
      from,
    );
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const known = last(words, null);
      const replayed = last(words, known);
      expect(replayed?.thisUpdate ?? -1).toBeGreaterThanOrEqual(known?.thisUpdate ?? -1);
      if (known?.status === 'revoked') expect(replayed?.status === 'unknown').toBe(false);
    }),
  );
});
