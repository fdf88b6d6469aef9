import { expect, it } from 'vitest';
import { ConcurrencyLimit } from '../../../src/revocation/ocsp/concurrency-limit.ts';

it('runs a limited number of tasks at a time, the others in order, whatever their outcome', async () => {
  const limit = new ConcurrencyLimit(2);
  const works = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const begun: number[] = [];
  const done = works.map(({ promise }, index) =>
    limit.run(() => {
      begun.push(index);
      return promise;
    }),
  );
  const ends = Promise.allSettled(done);
  expect(begun).toEqual([0, 1]);
  works[1]?.reject(new Error('it failed'));
  await done[1]?.catch(() => {});
  // The next task starts after this one has passed its place on.
  await Promise.resolve();
  expect(begun).toEqual([0, 1, 2]);
  for (const { resolve } of works) resolve();
  expect((await ends).map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});
