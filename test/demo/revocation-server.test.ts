import { expect, it } from 'vitest';
import { FetchTracker } from '../../src/demo/revocation-server.ts';

/** Whether the promise has resolved, after everything that could follow from the calls before. */
async function hasResolved(promise: Promise<void>): Promise<boolean> {
  let done = false;
  promise.then(() => {
    done = true;
  });
  await new Promise(setImmediate);
  return done;
}

it('does not wait for sources that were never fetched', async () => {
  expect(await hasResolved(new FetchTracker().untilFetched(['crl', 'ocsp']))).toBe(true);
});

it('waits until each source that was ever fetched was fetched twice more', async () => {
  const fetches = new FetchTracker();
  fetches.record('crl');
  fetches.record('ocsp');
  const fetched = fetches.untilFetched(['crl', 'ocsp', 'other']);
  for (const source of ['crl', 'ocsp', 'crl', 'crl']) {
    fetches.record(source);
    expect(await hasResolved(fetched)).toBe(false);
  }
  fetches.record('ocsp');
  expect(await hasResolved(fetched)).toBe(true);
});
