import { expect, it } from 'vitest';
import { RecentChanges } from '../../src/control/recent-changes.ts';

function opened() {
  let now = 0;
  return new RecentChanges(() => ++now * 1000);
}

it('keeps 20 of each kind, so that a CRL that changes often does not displace the last reload', () => {
  const changes = opened();
  changes.refused([]);
  for (let number = 0; number < 100; number++) {
    const detail = `CRL number ${number}`;
    changes.revocation({
      type: 'revocation',
      action: 'crl_fetched',
      anchor: 'a',
      address: 'http://c',
      detail,
    });
  }
  const list = changes.list();
  expect(list).toHaveLength(21);
  expect(list[0]).toMatchObject({ kind: 'revocation', subject: 'a', detail: 'http://c: CRL number 99' });
  expect(list.at(-1)).toMatchObject({ kind: 'config', event: 'refused', time: '1970-01-01T00:00:01.000Z' });
});

it('counts a repeated event, with its last time', () => {
  const changes = opened();
  for (let count = 0; count < 3; count++)
    changes.trust({
      type: 'trust',
      action: 'fetch_failed',
      anchor: 'a',
      url: 'https://d',
      detail: 'https://d: ETIMEDOUT',
    });
  changes.threadDied(4, new Error('out of memory'));
  changes.threadDied(5, null);
  expect(changes.list()).toEqual([
    {
      time: '1970-01-01T00:00:05.000Z',
      kind: 'thread',
      event: 'died',
      subject: 'relay thread 5',
      detail: null,
      count: 1,
    },
    {
      time: '1970-01-01T00:00:04.000Z',
      kind: 'thread',
      event: 'died',
      subject: 'relay thread 4',
      detail: 'out of memory',
      count: 1,
    },
    {
      time: '1970-01-01T00:00:03.000Z',
      kind: 'trust',
      event: 'fetch_failed',
      subject: 'a',
      detail: 'https://d: ETIMEDOUT',
      count: 3,
    },
  ]);
});

it('masks digits and cuts long texts, as the audit does', () => {
  const changes = opened();
  changes.threadDied(1, new Error(`4929 1200 0198 7654 ${'x'.repeat(2000)}`));
  expect(changes.list()[0]?.detail).toMatch(/^\[digits\] x{503}$/);
});

it('lists the events of the audit destination', () => {
  const changes = opened();
  changes.audit({ type: 'failing', error: new Error('ENOSPC'), records: 'kept' });
  changes.audit({ type: 'recovered', kept: 3, lost: 0, milliseconds: 10 });
  expect(changes.list().map(({ event, detail }) => [event, detail])).toEqual([
    ['recovered', 'records that waited: 3, lost: 0'],
    ['failing', 'ENOSPC'],
  ]);
});

it('lists the newest first, also after the clock was set back', () => {
  let now = 5000;
  const changes = new RecentChanges(() => now);
  changes.refused([]);
  now = 1000;
  changes.threadDied(4, null);
  expect(changes.list().map(({ kind }) => kind)).toEqual(['thread', 'config']);
});
