import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ejection } from '../../src/upstream/ejection.ts';

type Step = 'accepted' | 'connectFailed' | 'checkPassed' | 'checkFailed';

function after(...steps: Step[]): Ejection {
  const ejection = new Ejection();
  for (const step of steps) ejection[step]();
  return ejection;
}

describe('an endpoint is', () => {
  it.each<[boolean, Step[]]>([
    [false, []],
    [false, ['connectFailed', 'connectFailed']],
    [true, ['connectFailed', 'connectFailed', 'connectFailed']],
    [false, ['connectFailed', 'connectFailed', 'accepted', 'connectFailed']],
    [false, ['connectFailed', 'connectFailed', 'connectFailed', 'accepted']],
    [false, ['connectFailed', 'checkFailed', 'connectFailed', 'checkFailed']],
    [true, ['checkFailed', 'checkFailed', 'checkFailed']],
    // Being let in says nothing of being well, but being well says that it lets in.
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
  ])('passed over: %s, after %j', (ejected, steps) => {
    expect(after(...steps).ejected).toBe(ejected);
  });
});

it('says so when it goes out and when it comes back, and only then', () => {
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

it('waits twice as long before each trial, half a minute at most, a quarter more or less', () => {
  const pauses = (random: number) => {
    const ejection = new Ejection();
    return Array.from({ length: 8 }, () => ejection.nextTrialDelay(random));
  };
  expect(pauses(0.5)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  expect(pauses(0)).toEqual([750, 1500, 3000, 6000, 12_000, 22_500, 22_500, 22_500]);
  expect(pauses(1)[0]).toBe(1250);
});

it('forgets how long it waited once a message was answered, not merely when it was let in', () => {
  const ejection = after('connectFailed', 'connectFailed', 'connectFailed');
  ejection.nextTrialDelay(0.5);
  ejection.accepted();
  expect(ejection.nextTrialDelay(0.5)).toBe(2000);
  ejection.answered();
  expect(ejection.nextTrialDelay(0.5)).toBe(1000);
});
