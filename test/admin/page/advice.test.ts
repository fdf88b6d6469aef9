import { describe, expect, it } from 'vitest';
import { adviceParts } from '../../../src/admin/page/advice.ts';
import { adviceText } from '../../../src/explanation.ts';
import { failureReasons } from '../../../src/handshake/failure-reasons.ts';
import { denyReasons } from '../../../src/identity/deny-reasons.ts';

describe('the parts of an advice', () => {
  it('are the likely cause, and what to do at the client and at the gateway', () => {
    const advice = adviceText({ cause: 'a short timeout', client: 'raise it', gateway: 'look. Then wait' });
    expect(adviceParts(advice)).toEqual([
      { label: 'Likely cause', text: 'A short timeout.' },
      { label: 'What to do at the client', text: 'Raise it.' },
      { label: 'What to do at the gateway', text: 'Look. Then wait.' },
    ]);
  });

  it('leave out what there is nothing to say about', () => {
    expect(adviceParts(adviceText({ cause: null, client: null, gateway: 'raise it' }))).toEqual([
      { label: 'What to do at the gateway', text: 'Raise it.' },
    ]);
    expect(adviceParts('')).toEqual([]);
  });

  it('are one for advice without labels', () => {
    expect(adviceParts('Renew it. Clients: all.')).toEqual([
      { label: 'What to do', text: 'Renew it. Clients: all.' },
    ]);
  });

  it.each(Object.entries({ ...denyReasons, ...failureReasons }))(
    'of %s are all that its table says',
    (_, reason) => {
      const { cause, client, gateway, advice } = reason;
      const expected = [cause, client, gateway].filter((text) => text !== null);
      expect(adviceParts(advice).map(({ text }) => text.toLowerCase())).toEqual(
        expected.map((text) => `${text}.`.toLowerCase()),
      );
    },
  );
});
