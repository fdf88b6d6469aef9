/** The section on this minute: the state in one sentence, what needs attention, and the figures of the last minute. */
import type { GatewayStatus, TrafficStatus } from '../../status-schema.ts';
import type { Attention } from '../attention.ts';
import { type Content, type Element, el } from '../element.ts';
import { formatCount, formatMilliseconds, formatRate, milliseconds, plural } from '../format.ts';
import type { Headline } from '../headline.ts';
import { dim, type Mark, moment, shorten, sign, spoken } from '../pieces.ts';

/** `isStale`: the sentence is about the past. */
export function headlineView({ level, sentence }: Headline, isStale: boolean): Element {
  const time = isStale && level !== 'unknown' && dim('Last known: ');
  return el('p', { class: `headline ${level}` }, sign(level), el('span', {}, time, sentence));
}

/** `now`: the gateway's clock, ms. */
export function gatewayLine(gateway: GatewayStatus | null, now: number): Element | null {
  if (gateway === null) return null;
  const { listen, generation, startedAt } = gateway;
  const facts: Content[] = [
    el('span', {}, 'Listens on ', listen === null ? 'no port yet' : el('code', {}, addressOf(listen))),
    el('span', {}, 'Started ', moment(startedAt, now)),
    el('span', {}, generation === null ? 'No policy yet' : `Policy generation ${formatCount(generation)}`),
    el('span', {}, `ehi-gateway ${gateway.version}, Node ${gateway.node}`),
  ];
  return el('p', { class: 'facts' }, facts);
}

function addressOf({ address, port }: { readonly address: string; readonly port: number }): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

const most = 8;

interface AttentionOptions {
  readonly isOpen: boolean;
  /** Of the gateway: what keeps it from being ready stands in the headline. */
  readonly isReady: boolean;
}

export function attentionView(
  found: readonly Attention[],
  { isOpen, isReady }: AttentionOptions,
): Element | null {
  if (found.length === 0)
    return isReady
      ? el('p', { class: 'calm good' }, sign('good'), el('span', {}, 'Nothing needs attention.'))
      : null;
  const { rows, button } = shorten(found, { id: 'attention', isOpen, most });
  return el(
    'div',
    { class: 'attention' },
    el('h3', {}, `Needs attention (${found.length})`),
    el(
      'ul',
      {},
      rows.map(({ level, sentence, section }) =>
        el(
          'li',
          { class: level },
          sign(level),
          el('a', { href: `#${section}` }, spoken(level === 'bad' ? 'Serious: ' : 'Warning: '), sentence),
        ),
      ),
    ),
    button,
  );
}

interface Tile {
  readonly name: string;
  readonly value: string;
  readonly unit?: string;
  readonly note: Content;
  readonly mark?: Mark;
  /** The share of a whole, drawn as a bar. */
  readonly share?: number | null;
}

export function tiles(now: TrafficStatus | null): Element | null {
  if (now === null) return null;
  return el('dl', { class: 'tiles' }, tilesOf(now).map(tile));
}

function tilesOf(now: TrafficStatus): readonly Tile[] {
  const { late, shed, p50Ms, p99Ms } = now;
  return [
    {
      name: 'Messages',
      value: formatRate(now.messagesPerSecond),
      unit: '/s',
      note: averageOver(now.seconds),
    },
    { name: 'In flight', value: formatCount(now.inFlight), note: 'messages without a complete answer' },
    latencyTile('p50', p50Ms, now),
    latencyTile('p99', p99Ms, now),
    {
      name: 'Late',
      value: formatCount(late),
      note: late === 0 ? 'no message of the last minute' : 'messages of the last minute',
      mark: late === 0 ? 'good' : 'warning',
    },
    {
      name: 'Shed',
      value: formatCount(shed),
      note: shed === 0 ? 'no message of the last minute' : 'refused in the last minute',
      mark: shed === 0 ? 'good' : 'bad',
    },
    { name: 'Connections', value: formatCount(now.connections), note: 'of clients, open now' },
    { name: 'Handshakes', value: formatCount(now.unfinishedHandshakes), note: 'not finished yet' },
  ];
}

function averageOver(seconds: number): string {
  if (seconds < 1) return 'since the start';
  return `average of the last ${seconds < 59 ? `${formatCount(seconds)} s` : 'minute'}`;
}

/** The time of all routes can be compared with a budget only if they all have the same. */
function latencyTile(
  name: string,
  value: number | null,
  { budgetMs, maxBudgetMs, overBudget }: TrafficStatus,
): Tile {
  const { value: figure, unit } = milliseconds(value);
  const isOne = budgetMs === maxBudgetMs;
  const budget = isOne
    ? `${formatMilliseconds(budgetMs)} budget`
    : `budgets ${formatMilliseconds(budgetMs)} to ${formatMilliseconds(maxBudgetMs)}`;
  if (value === null) return { name, value: figure, unit, note: `no messages; ${budget}` };
  if (!isOne) {
    const over = plural(overBudget.length, 'route');
    const note = overBudget.length === 0 ? `of all routes; ${budget}` : `of all routes; ${over} over budget`;
    return { name, value: figure, unit, note, mark: overBudget.length === 0 ? 'good' : 'bad' };
  }
  const share = budgetMs > 0 ? value / budgetMs : 0;
  const percent = share < 0.01 ? '< 1 %' : `${formatCount(share * 100)} %`;
  return { name, value: figure, unit, note: `${percent} of the ${budget}`, mark: markOf(share), share };
}

function markOf(share: number): Mark {
  if (share > 1) return 'bad';
  return share > 0.75 ? 'warning' : 'good';
}

function tile({ name, value, unit = '', note, mark, share = null }: Tile): Element {
  return el(
    'div',
    { class: `tile ${mark ?? 'plain'}`, key: name },
    el('dt', {}, name),
    el(
      'dd',
      { class: 'value' },
      value,
      unit !== '' && el('span', { class: 'unit' }, unit === '/s' ? unit : ` ${unit}`),
      mark !== undefined && mark !== 'good' && sign(mark),
    ),
    share !== null &&
      el(
        'dd',
        { class: 'meter', 'aria-hidden': 'true' },
        el('div', { '--share': Math.min(1, share).toFixed(3) }),
      ),
    el('dd', { class: 'note' }, dim(note)),
  );
}
