/** What the page shows of its state, as plain values: the content of each place of page.html. */
import { type Attention, attentionOf, type Known } from './attention.ts';
import { commonBudget, latencyView, reasonsView, verdictsView } from './charts/figures.ts';
import { type Child, type Content, el } from './element.ts';
import { formatSpan, second } from './format.ts';
import { type Headline, headlineOf } from './headline.ts';
import { badge, dim } from './pieces.ts';
import { auditView } from './sections/audit.ts';
import { certificatesView } from './sections/certificates.ts';
import { changesView } from './sections/changes.ts';
import { clientsView } from './sections/clients.ts';
import { contentsView } from './sections/contents.ts';
import { keySetsView } from './sections/key-sets.ts';
import { attentionView, gatewayLine, headlineView, tiles } from './sections/now.ts';
import { refusedView } from './sections/refused.ts';
import { threadsView } from './sections/threads.ts';
import { anchorsView, revocationView } from './sections/trust.ts';
import { upstreamsView } from './sections/upstreams.ts';
import { type Freshness, freshnessOf, gatewayTime, type PageState, partFault } from './state.ts';
import { type Part, parts } from './status-shape.ts';

export interface View {
  readonly title: string;
  readonly headline: Headline;
  readonly freshness: Freshness;
  /** The `data-place` of an element → its children. */
  readonly places: ReadonlyMap<string, readonly Child[]>;
  /** The places whose data are older than the page's last answer, or all of them. */
  readonly stale: ReadonlySet<string>;
  /** For screen readers; it changes only with what they should interrupt for. */
  readonly announcement: string;
}

export interface ViewOptions {
  /** The reader's clock, ms. */
  readonly at: number;
  /** Lists and tables that the reader has opened. */
  readonly open: ReadonlySet<string>;
}

export function viewOf(state: PageState, { at, open }: ViewOptions): View {
  const now = gatewayTime(state, at);
  const known = Object.fromEntries(parts.map((part) => [part, state.parts[part].value])) as Known;
  const freshness = freshnessOf(state, at);
  const headline = headlineOf(known.gateway, known.now);
  const attention = attentionOf(known, now);
  const contents = sectionContents(known, { now, open, attention, isStale: freshness.kind === 'stale' });
  const places = new Map<string, readonly Child[]>([
    ['contents', el('div', {}, contentsView(attention)).children],
    ['freshness', el('div', {}, freshnessBadge(freshness)).children],
    ['problem', el('div', {}, problem(freshness)).children],
    ...[...contents].map(([place, { of, content }]): [string, readonly Child[]] => [
      place,
      el('div', {}, faultsOf(state, of, at), content).children,
    ]),
  ]);
  const isStale = (of: readonly Part[]) =>
    freshness.kind === 'stale' || of.some((part) => state.parts[part].fault !== null);
  return {
    title: `${freshness.kind === 'stale' ? 'Stale' : headline.word} · ehi-gateway`,
    headline,
    freshness,
    places,
    stale: new Set([...contents].filter(([, { of }]) => isStale(of)).map(([place]) => place)),
    announcement: announcementOf(freshness, headline),
  };
}

interface Section {
  /** The parts of the document that it is made of. */
  readonly of: readonly Part[];
  readonly content: Content;
}

interface SectionFacts {
  readonly now: number;
  readonly open: ReadonlySet<string>;
  readonly attention: readonly Attention[];
  readonly isStale: boolean;
}

function sectionContents(
  known: Known,
  { now, open, attention, isStale }: SectionFacts,
): ReadonlyMap<string, Section> {
  const list = (id: string) => ({ now, isOpen: open.has(id) });
  const made = <P extends Part>(part: P, make: (value: NonNullable<Known[P]>) => Content): Section => {
    const value = known[part];
    return { of: [part], content: value === null ? null : make(value as NonNullable<Known[P]>) };
  };
  const budget = commonBudget(known.now);
  return new Map<string, Section>([
    [
      'state',
      {
        of: ['gateway'],
        content: [
          headlineView(headlineOf(known.gateway, known.now), isStale),
          gatewayLine(known.gateway, now),
        ],
      },
    ],
    ['now', { of: ['now'], content: tiles(known.now) }],
    [
      'attention',
      {
        of: [],
        content:
          known.gateway && attentionView(attention, { ...list('attention'), isReady: known.gateway.ready }),
      },
    ],
    ['verdicts', made('history', (history) => verdictsView(history, list('verdicts-table')))],
    ['reasons', made('reasons', reasonsView)],
    ['latency', made('history', (history) => latencyView(history, budget, list('latency-table')))],
    ['refused', made('refused', (rows) => refusedView(rows, list('refused')))],
    ['clients', made('clients', (rows) => clientsView(rows, list('clients')))],
    ['certificates', made('certificates', (rows) => certificatesView(rows, list('certificates')))],
    ['trust', made('anchors', (rows) => anchorsView(rows, now))],
    ['keys', made('keySets', (rows) => keySetsView(rows, now))],
    ['revocation', made('revocation', (rows) => revocationView(rows, list('revocation')))],
    ['upstreams', made('upstreams', (rows) => upstreamsView(rows, now))],
    ['changes', made('changes', (rows) => changesView(rows, list('changes')))],
    ['threads', made('threads', threadsView)],
    ['audit', made('audit', (audit) => auditView(audit, now))],
  ]);
}

function freshnessBadge(freshness: Freshness): Content {
  switch (freshness.kind) {
    case 'waiting':
      return badge('unknown', 'Waiting for data');
    case 'fresh':
      return [badge('good', 'Live'), ' ', dim(ageOf(freshness.age))];
    case 'stale':
      return [
        badge('bad', 'Stale'),
        ' ',
        dim(freshness.age === null ? 'no data' : `${formatSpan(freshness.age)} old`),
      ];
    default:
      return freshness satisfies never;
  }
}

/** Steady while all is well: a number that changes each second draws the eye. */
function ageOf(age: number): string {
  return age < 4 * second ? 'every 2 s' : `${formatSpan(age)} old`;
}

function problem(freshness: Freshness): Content {
  if (freshness.kind !== 'stale') return null;
  const { age, failure } = freshness;
  const shown = age === null ? 'There are no data to show.' : `The data shown are ${formatSpan(age)} old.`;
  return el('p', { class: 'problem' }, badge('bad', 'Stale'), ' ', shown, ' ', failure);
}

function faultsOf(state: PageState, of: readonly Part[], at: number): Content {
  const faults = of.map((part) => partFault(state.parts[part], at)).filter((fault) => fault !== null);
  return faults.map((fault) =>
    el('p', { class: 'problem', key: 'fault' }, badge('warning', 'Incomplete'), ' ', fault),
  );
}

function announcementOf(freshness: Freshness, headline: Headline): string {
  if (freshness.kind === 'waiting') return '';
  return freshness.kind === 'stale' ? `Data are stale. ${freshness.failure}` : headline.sentence;
}
