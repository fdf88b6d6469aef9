import { expect, it } from 'vitest';
import { Audience } from '../../src/demo/audience.ts';

/** Whether it has, after everything that could follow from what was asked. */
async function hasHeard(heard: Promise<void>): Promise<boolean> {
  let done = false;
  heard.then(() => {
    done = true;
  });
  await new Promise(setImmediate);
  return done;
}

it('waits for nobody where nobody has ever asked', async () => {
  expect(await hasHeard(new Audience().hasHeardOf(['crl', 'ocsp']))).toBe(true);
});

it('waits until everything that was ever asked for was asked for twice more', async () => {
  const audience = new Audience();
  audience.asksFor('crl');
  audience.asksFor('ocsp');
  const heard = audience.hasHeardOf(['crl', 'ocsp', 'other']);
  for (const thing of ['crl', 'ocsp', 'crl', 'crl']) {
    audience.asksFor(thing);
    expect(await hasHeard(heard)).toBe(false);
  }
  audience.asksFor('ocsp');
  expect(await hasHeard(heard)).toBe(true);
});
