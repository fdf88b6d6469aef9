import { expect, it } from 'vitest';
import { type FailureReasonName, failure, failureReasons } from '../../src/handshake/failure-reasons.ts';

it('has for every reason what happened and what to do on a side, which fit into an audit record', () => {
  for (const name of Object.keys(failureReasons) as FailureReasonName[]) {
    const { detail } = failure(name);
    expect(Buffer.byteLength(detail)).toBeLessThanOrEqual(768);
    expect(detail).toMatch(/ (Likely|Client|Gateway): /);
    expect(detail).toMatch(/^[a-zA-Z].*\. [A-Z].*\.$/s);
  }
});
