import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ejection } from '../../src/upstream/ejection.ts';

type Step = 'accepted' | 'connectFailed' | 'checkPassed' | 'checkFailed';

function after(...steps: Step[]): Ejection {
  const ejection = new Ejection();
  for (const step of steps) ejection[step]();
  return ejection;
}

describe('an endpoint', () => {
  it.each<[boolean, Step[]]>([
    [false, []],
    [false, ['connectFailed', 'connectFailed']],
    [true, ['connectFailed', 'connectFailed', 'connectFailed']],
    [false, ['connectFailed', 'connectFailed', 'accepted', 'connectFailed']],
    [false, ['connectFailed', 'connectFailed', 'connectFailed', 'accepted']],
    [false, ['connectFailed', 'checkFailed', 'connectFailed', 'checkFailed']],
    [true, ['checkFailed', 'checkFailed', 'checkFailed']],
    // An accepted connection does not end an ejection by checks, but a passed check ends one by failed connections.
    [true, ['checkFailed', 'accepted', 'checkFailed', 'accepted', 'checkFailed', 'accepted']],
    [false, ['checkFailed', 'checkFailed', 'checkFailed', 'checkPassed']],
    [false, ['connectFailed', 'connectFailed', 'connectFailed', 'checkPassed']],
    [false, ['checkFailed', 'checkFailed', 'checkPassed', 'checkFailed', 'checkFailed']],
    [
      true,
      [
        'connectFailed',
        'connectFailed',
        'connectFailed',
        'checkFailed',
        'checkFailed',
        'checkFailed',
        'accepted',
      ],
    ],
  ])('is ejected: %s, after %j', (ejected, steps) => {
    expect(after(...steps).ejected).toBe(ejected);
  });
});

it('returns true exactly when the ejection begins or ends', () => {
  const step = fc.constantFrom<Step>('accepted', 'connectFailed', 'checkPassed', 'checkFailed');
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const ejection = new Ejection();
      for (const each of steps) {
        const before = ejection.ejected;
        expect(ejection[each]()).toBe(before !== ejection.ejected);
        if (each === 'checkPassed') expect(ejection.ejected).toBe(false);
      }
    }),
  );
});

it('doubles the delay before each trial, up to half a minute, and varies it by a quarter', () => {
  const delays = (random: number) => {
    const ejection = new Ejection();
    return Array.from({ length: 8 }, () => ejection.nextTrialDelay(random));
  };
  expect(delays(0.5)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  expect(delays(0)).toEqual([750, 1500, 3000, 6000, 12_000, 22_500, 22_500, 22_500]);
  expect(delays(1)[0]).toBe(1250);
});

it('begins with the first delay again after a message was answered, not after a connection was accepted', () => {
  const ejection = after('connectFailed', 'connectFailed', 'connectFailed');
  ejection.nextTrialDelay(0.5);
  ejection.accepted();
  expect(ejection.nextTrialDelay(0.5)).toBe(2000);
  ejection.answered();
  expect(ejection.nextTrialDelay(0.5)).toBe(1000);
});
