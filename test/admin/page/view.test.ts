import { describe, expect, it } from 'vitest';
import { type Child, type Element, textOf } from '../../../src/admin/page/element.ts';
import { fail, initialState, type PageState, receive } from '../../../src/admin/page/state.ts';
import { type View, viewOf } from '../../../src/admin/page/view.ts';
import { busyDocument, calmDocument, emptyDocument } from '../../page/documents.ts';

const now = Date.UTC(2026, 10, 29, 5, 12);

function stateOf(document: object, state: PageState = initialState): PageState {
  return receive(state, { body: JSON.stringify(document), at: now });
}

function viewed(state: PageState, { at = now, open = [] as readonly string[] } = {}): View {
  return viewOf(state, { at, open: new Set(open) });
}

function textAt(view: View, place: string): string {
  return (view.places.get(place) ?? []).map(textOf).join(' ');
}

function elementsOf(children: readonly Child[]): Element[] {
  return children.flatMap((child) =>
    typeof child === 'string' ? [] : [child, ...elementsOf(child.children)],
  );
}

function elementsAt(view: View, place: string): Element[] {
  return elementsOf(view.places.get(place) ?? []);
}

const busy = viewed(stateOf(busyDocument(now)));

describe('the view', () => {
  it.each([
    [
      'state',
      ['Ready: messages are relayed.', 'Listens on 10.20.0.14:8443', 'Policy generation 41', '3 d ago'],
    ],
    ['now', ['312', '/s', 'In flight7', '42 ms', '21 % of the 200 ms budget', 'Late3']],
    ['attention', ['Needs attention (9)', 'https://auth-2.internal:8080 is down']],
    ['verdicts', ['Allowed', '45 in the last hour, at most 12 a minute']],
    ['reasons', ['denied untrusted31', 'failed handshake_timeout12']],
    ['latency', ['highest p99', 'in the last hour, budget 200 ms', '45 messages in the last hour']],
    [
      'refused',
      [
        'failed handshake_timeout',
        '6 s ago 05:11:54',
        '198.51.100.20',
        'What to do: Look at the network',
        '× 1,204',
      ],
    ],
    ['clients', ['CN=thredd-live-7', '4 days left', '2026-12-03', '4f:a0:11', 'Issuing CA 3', '4 s ago']],
    ['certificates', ['Trust anchor', '18 days left', 'now7 d30 d90 d1 y']],
    ['trust', ['partner', 'last refresh failed', 'ETIMEDOUT', '12 min ago', 'root pinned']],
    [
      'keys',
      [
        'https://as.example.com/jwks11 min ago',
        '2 for its use1 not used',
        'last refresh failed',
        'answered 503',
        'clients.jwks.json',
        'no usable key',
        'no client is registered',
      ],
    ],
    [
      'revocation',
      ['CRL http://crl.thredd.example/issuing3.crl', '18,402 entries', 'ended 20 min ago', 'answered 503'],
    ],
    ['upstreams', ['https://auth-2.internal:8080', 'down', '212', 'ECONNREFUSED']],
    ['changes', ['Configuration: reloaded', 'routes, clients.allowlist', 'Trust: pending root (partner)']],
    ['threads', ['0.7 ms', '1.4 ms']],
    ['audit', ['written', 'none', 'no. 91,204, just now', '17.8 KiB', '/var/log/ehi-gateway/audit.log']],
    ['freshness', ['Live']],
  ])('shows in %s what an operator looks for', (place, texts) => {
    for (const text of texts) expect(textAt(busy, place)).toContain(text);
  });

  it('compares the time of all routes with a budget only where they have the same', () => {
    const document = busyDocument(now);
    const over = [{ route: '/pay', budgetMs: 200, messages: 90, over: 5 }];
    const changed = (overBudget: typeof over) =>
      viewed(stateOf({ ...document, now: { ...document.now, maxBudgetMs: 2000, overBudget } }));
    expect(textAt(changed([]), 'now')).toContain('of all routes; budgets 200 ms to 2 s');
    expect(textAt(changed(over), 'now')).toContain('of all routes; 1 route over budget');
    expect(textAt(changed(over), 'attention')).toContain(
      'The p99 of route /pay is over its budget of 200 ms',
    );
    expect(textAt(changed([]), 'latency')).not.toContain('budget');
  });

  it('names the state in the title of the window', () => {
    const stale = viewed(fail(stateOf(busyDocument(now)), 'Cut.'));
    expect([viewed(initialState).title, busy.title, stale.title]).toEqual([
      'Waiting · ehi-gateway',
      'Ready · ehi-gateway',
      'Stale · ehi-gateway',
    ]);
  });

  it('says what to expect where there is nothing yet', () => {
    const view = viewed(stateOf(emptyDocument(now)));
    expect(textAt(view, 'state')).toContain('Starting: no usable trust anchor.');
    for (const place of [
      'refused',
      'clients',
      'certificates',
      'trust',
      'revocation',
      'upstreams',
      'changes',
      'threads',
    ])
      expect(
        elementsAt(view, place).map(({ attributes }) => attributes.class),
        place,
      ).toEqual(['empty']);
    expect(textAt(view, 'clients')).toContain('A client appears here with its first accepted handshake.');
    expect(textAt(view, 'now')).toContain('no messages; 200 ms budget');
  });

  it('says over which time the charts go: none, what has passed since the start, or an hour', () => {
    const { history, ...rest } = busyDocument(now);
    const first = (steps: number) =>
      Object.fromEntries(
        Object.entries(history).map(([name, list]) => [
          name,
          Array.isArray(list) ? list.slice(0, steps) : list,
        ]),
      );
    const verdicts = (steps: number) =>
      textAt(viewed(stateOf({ ...rest, history: first(steps) })), 'verdicts');
    expect(verdicts(0)).toContain('Denied none yet: the first 10 s are not over');
    expect(verdicts(42)).toContain('in the last 7 min');
    expect(verdicts(360)).toContain('in the last hour');
  });

  it('marks the links to the sections that need attention', () => {
    const links = elementsAt(busy, 'contents').filter(({ tag }) => tag === 'a');
    expect(links.map(textOf).join(' ')).toBe(
      'Now Verdicts Latency! needs attention Refused Clients✕ needs attention Certificates! needs attention Trust! needs attention Keys✕ needs attention ' +
        'Revocation✕ needs attention Upstreams✕ needs attention Changes Threads Audit',
    );
    expect(textAt(viewed(stateOf(calmDocument(now))), 'contents')).not.toContain('attention');
  });

  it('does not say that nothing needs attention while the gateway is not ready', () => {
    expect(textAt(viewed(stateOf(emptyDocument(now))), 'attention')).toBe('');
  });

  it('calls the state the last known one while the data are stale', () => {
    const stale = viewed(fail(stateOf(busyDocument(now)), 'Cut.'));
    expect(textAt(stale, 'state')).toContain('Last known: Ready: messages are relayed.');
    expect(textAt(busy, 'state')).not.toContain('Last known');
  });

  it('is calm where all is well', () => {
    expect(textAt(viewed(stateOf(calmDocument(now))), 'attention')).toContain('Nothing needs attention.');
  });

  it('shows nothing of a document that it does not have, and does not fail', () => {
    const view = viewed(fail(initialState, 'The gateway cannot be reached.'));
    expect(textAt(view, 'problem')).toBe('✕Stale There are no data to show. The gateway cannot be reached.');
    expect(textAt(view, 'state')).toContain('Waiting for the first data.');
    expect(view.places.get('clients')).toEqual([]);
  });

  it('marks every place as stale after a failure, and says how old the data are', () => {
    const view = viewed(fail(stateOf(busyDocument(now)), 'Cut.'), { at: now + 14_000 });
    expect(textAt(view, 'problem')).toContain('The data shown are 14 s old. Cut.');
    expect(textAt(view, 'freshness')).toContain('14 s old');
    expect(textAt(view, 'clients')).toContain('CN=thredd-live-7');
    expect(view.stale).toEqual(
      new Set(
        [...view.places.keys()].filter((place) => !['contents', 'freshness', 'problem'].includes(place)),
      ),
    );
    expect(view.announcement).toBe('Data are stale. Cut.');
  });

  it('marks a place alone whose part is missing', () => {
    const view = viewed(stateOf({ ...busyDocument(now), clients: undefined }, stateOf(busyDocument(now))));
    expect(view.stale).toEqual(new Set(['clients']));
    expect(textAt(view, 'clients')).toContain('clients is missing in the gateway’s answer.');
    expect(textAt(view, 'clients')).toContain('CN=thredd-live-7');
  });

  it('announces the state and no numbers, so that a screen reader is not interrupted by each answer', () => {
    const later = viewed(stateOf({ ...busyDocument(now), time: new Date(now + 9).toISOString() }));
    expect(busy.announcement).toBe('Ready: messages are relayed.');
    expect(later.announcement).toBe(busy.announcement);
  });

  it('keeps text that looks like HTML as text', () => {
    const markup = '<img src=x onerror=alert(1)>';
    const document = busyDocument(now);
    const [refused, client] = [document.refused[0], document.clients[0]];
    const view = viewed(
      stateOf({
        ...document,
        refused: [
          {
            ...refused,
            subject: markup,
            detail: `see ${markup}!`,
            reason: markup,
            sourceAddress: markup,
            advice: 'Look.',
          },
        ],
        clients: [{ ...client, subject: markup, issuer: markup, serial: markup }],
      }),
    );
    expect(textAt(view, 'refused').split(markup)).toHaveLength(5);
    expect(textAt(view, 'clients').split(markup)).toHaveLength(4);
    expect(elementsAt(view, 'refused').filter(({ tag }) => tag === 'img')).toEqual([]);
  });

  it.each([
    ['the caller has no certificate. Configure one.', 'the caller has no certificate.'],
    ['Configure one.', ''],
    ['something else', 'something else'],
    [null, 'no certificate was sent'],
  ])('says once what to do about a refused handshake, whose detail is %j', (detail, happened) => {
    const document = busyDocument(now);
    const refused = {
      ...document.refused[1],
      detail,
      says: 'no certificate was sent',
      advice: 'Configure one.',
    };
    const text = textAt(viewed(stateOf({ ...document, refused: [refused] })), 'refused');
    expect(text).toContain(`untrusted${happened}What to do: Configure one.`);
    expect(text.split('Configure one.')).toHaveLength(2);
  });

  it('opens long lists and tables where the reader asks for it', () => {
    const rows = (view: View, place: string) =>
      elementsAt(view, place).filter(({ tag }) => tag === 'tr').length - 1;
    const state = stateOf(busyDocument(now));
    expect(rows(busy, 'refused')).toBe(10);
    expect(textAt(busy, 'refused')).toContain('Show all 14');
    expect(rows(viewed(state, { open: ['refused'] }), 'refused')).toBe(14);
    expect(rows(busy, 'latency')).toBe(-1);
    expect(rows(viewed(state, { open: ['latency-table'] }), 'latency')).toBeGreaterThan(300);
    expect(rows(viewed(state, { open: ['verdicts-table'] }), 'verdicts')).toBeGreaterThanOrEqual(60);
  });
});

describe('an element of the view', () => {
  const all = [...busy.places.values()].flatMap(elementsOf);

  it('has no style attribute and no handler: the content security policy refuses both', () => {
    const names = new Set(all.flatMap(({ attributes }) => Object.keys(attributes)));
    expect([...names].filter((name) => name === 'style' || name.startsWith('on'))).toEqual([]);
  });

  it('links to places of the page alone', () => {
    const targets = all
      .flatMap(({ attributes: { href = '#' } }) => href)
      .filter((href) => !href.startsWith('#'));
    expect(targets).toEqual([]);
  });

  it('is a table with a caption, headed columns and a name for each cell', () => {
    const tables = all.filter(({ tag }) => tag === 'table');
    expect(tables.length).toBeGreaterThan(8);
    for (const table of tables) {
      const inside = elementsOf(table.children);
      expect(inside.filter(({ tag }) => tag === 'caption')).toHaveLength(1);
      expect(inside.filter(({ tag, attributes }) => tag === 'td' && !attributes['data-label'])).toEqual([]);
      expect(inside.filter(({ attributes }) => attributes.scope === 'row').length).toBeGreaterThan(0);
    }
  });

  it('has a key of its own among its siblings, also where two rows look alike', () => {
    const document = busyDocument(now);
    const twice = [...document.changes, ...document.changes];
    const rows = elementsAt(viewed(stateOf({ ...document, changes: twice })), 'changes').filter(
      ({ key }) => key !== null,
    );
    expect(rows).toHaveLength(6);
    expect(new Set(rows.map(({ key }) => key)).size).toBe(6);
  });

  it('shows each state by a sign too, so that colour is not the only one', () => {
    const badges = all.filter(({ attributes }) => /\bbadge\b/.test(attributes.class ?? ''));
    expect(badges.length).toBeGreaterThan(20);
    const signOf = (badge: Element) => `${badge.attributes.class}: ${textOf(badge.children[0] ?? '')}`;
    expect(new Set(badges.map(signOf))).toEqual(
      new Set(['badge good: ✓', 'badge warning: !', 'badge bad: ✕']),
    );
  });
});
