import { describe, expect, it } from 'vitest';
import { attentionOf, type Known } from '../../../src/admin/page/attention.ts';
import { headlineOf } from '../../../src/admin/page/headline.ts';
import { initialState } from '../../../src/admin/page/state.ts';
import { parts } from '../../../src/admin/page/status-shape.ts';
import { busyDocument, calmDocument } from '../../page/documents.ts';

const now = Date.UTC(2026, 10, 29, 5, 12);
const day = 86_400_000;
const calm = calmDocument(now);
const keySet = {
  ...{ source: 'a', refreshedAt: new Date(now - 60_000).toISOString(), keys: 2, passedOver: 0 },
  ...{ usable: 2, lack: null, lastError: null },
};
const at = (offset: number) => new Date(now + offset).toISOString();

function sentences(changed: Partial<Known>): string[] {
  return attentionOf({ ...calm, ...changed }, now).map(({ level, sentence }) => `${level}: ${sentence}`);
}

describe('what needs attention', () => {
  it('is nothing where all is well, or nothing is known', () => {
    expect(sentences({})).toEqual([]);
    const unknown = Object.fromEntries(parts.map((part) => [part, initialState.parts[part].value])) as Known;
    expect(attentionOf(unknown, now)).toEqual([]);
  });

  const [server, anchor] = (['server', 'anchor'] as const).map((role) =>
    calm.certificates.find((each) => each.role === role),
  );
  const [client] = calm.clients;
  if (server === undefined || anchor === undefined || client === undefined) throw new Error('too calm');

  it.each<[string, Partial<Known>, readonly string[]]>([
    [
      'a route whose p99 is over its own budget',
      { now: { ...calm.now, overBudget: [{ route: '/pay', budgetMs: 2000, messages: 300, over: 12 }] } },
      [
        'bad: The p99 of route /pay is over its budget of 2 s: 12 of 300 messages of the last minute took longer.',
      ],
    ],
    [
      'a p99 of all routes over the smallest budget, where each is within its own',
      { now: { ...calm.now, p99Ms: 1500, maxBudgetMs: 2000 } },
      [],
    ],
    [
      'late messages',
      { now: { ...calm.now, late: 1 } },
      ['warning: 1 message of the last minute had no answer in time.'],
    ],
    [
      'shed messages',
      { now: { ...calm.now, shed: 2 } },
      ['bad: 2 messages of the last minute were refused to shed load.'],
    ],
    [
      'an expired server certificate',
      { certificates: [{ ...server, notAfter: at(-day) }] },
      [`bad: The server certificate ${server.name}: expired 1 d ago.`],
    ],
    [
      'a CA that ends within 30 days',
      { certificates: [{ ...anchor, notAfter: at(29 * day) }] },
      [`warning: The CA ${anchor.name}: 29 days left.`],
    ],
    ['a certificate that ends later', { certificates: [{ ...anchor, notAfter: at(31 * day) }] }, []],
    [
      'clients whose certificates end soon, in one sentence',
      { clients: [1, 2, 3].map((days) => ({ ...client, notAfter: at(days * day + 1) })) },
      [`bad: The certificate of ${client.subject}, and of 2 other clients ends within 30 days (1 d left).`],
    ],
    [
      'audit records that are not written',
      { audit: { ...calm.audit, failingSince: at(-90_000), lost: 7 } },
      [
        'bad: Audit records have not been written for 1 min.',
        'bad: 7 audit records were lost since the start.',
      ],
    ],
    [
      'endpoints, those that are down first',
      {
        upstreams: ['up', 'partly', 'down'].map((state) => ({
          ...calm.upstreams[0],
          url: state,
          state,
        })) as never,
      },
      [
        'bad: down is down: no relay thread uses it.',
        'warning: partly is not used by some of the relay threads.',
      ],
    ],
    [
      'an anchor that was never loaded',
      { anchors: [{ ...calm.anchors[0], source: null }] as never },
      ['bad: The trust anchor thredd is not loaded: none of its clients is authorized.'],
    ],
    [
      'a key set that was never read, one without a key for its use, and one whose last refresh failed',
      {
        keySets: [
          { ...keySet, source: 'a', refreshedAt: null, keys: 0, usable: null, lastError: '503' },
          { ...keySet, source: 'c', usable: 0, lack: 'no keys: no client is registered' },
          { ...keySet, source: 'b', lastError: 'an HTML page' },
        ],
      },
      [
        'bad: The key set a was never read: what it verifies is refused: 503',
        'bad: The key set c has no key that can be used: no keys: no client is registered',
        'warning: The last refresh of the key set b failed: an HTML page',
      ],
    ],
    [
      'a CRL that ended, and one that cannot be fetched',
      {
        revocation: [
          { ...calm.revocation[0], address: 'a', nextUpdate: at(-60_000), failures: 3 },
          { ...calm.revocation[0], address: 'b', failures: 1200, lastError: '503' },
        ] as never,
      },
      ['bad: CRL a ended 1 min ago.', 'warning: CRL b failed 1,200 times in a row: 503'],
    ],
    [
      'a relay thread whose loop is late',
      { threads: [{ thread: 3, connections: 1, inFlight: 0, loopDelayMs: 80 }] },
      ['warning: Messages in relay thread 3 wait 80 ms for the event loop.'],
    ],
  ])('is %s', (_, changed, expected) => {
    expect(sentences(changed)).toEqual(expected);
  });

  it('is sorted: what is serious comes first', () => {
    const levels = attentionOf(busyDocument(now), now).map(({ level }) => level);
    expect(levels).toEqual(levels.toSorted());
    expect(new Set(levels)).toEqual(new Set(['bad', 'warning']));
  });
});

describe('the first sentence', () => {
  const { gateway, now: traffic } = calm;

  it.each([
    [null, null, 'unknown', 'Waiting for the first data.'],
    [gateway, traffic, 'good', 'Ready: messages are relayed.'],
    [gateway, null, 'good', 'Ready.'],
    [
      gateway,
      { ...traffic, messagesPerSecond: 0, inFlight: 0 },
      'good',
      'Ready: no message arrived in the last minute.',
    ],
    [
      { ...gateway, ready: false, reasons: ['no usable trust anchor', 'the server certificate has expired'] },
      traffic,
      'bad',
      'Not ready: no usable trust anchor; the server certificate has expired.',
    ],
    [{ ...gateway, ready: false, reasons: [] }, traffic, 'bad', 'Not ready: the gateway gives no reason.'],
    [
      {
        ...gateway,
        state: 'starting' as const,
        ready: false,
        reasons: ['starting', 'no usable trust anchor'],
      },
      traffic,
      'warning',
      'Starting: no usable trust anchor.',
    ],
    [
      { ...gateway, state: 'draining' as const, ready: false, reasons: ['draining'] },
      traffic,
      'warning',
      'Draining: open messages are finished, and no connection is accepted.',
    ],
  ])('says whether messages are relayed, and if not, why (%#)', (gateway, traffic, level, sentence) => {
    expect(headlineOf(gateway, traffic)).toMatchObject({ level, sentence });
  });
});
