/** The small pieces that sections share: times, states, tables. */
import { type Content, type Element, el } from './element.ts';
import { formatClock, formatExact, formatRelative } from './format.ts';

/** Relative and exact; `now`: the gateway's clock, ms. null: `never`. */
export function moment(iso: string | null, now: number, never = 'never'): Content {
  if (iso === null) return never;
  const time = Date.parse(iso);
  return el(
    'time',
    { datetime: iso, title: formatExact(time), class: 'moment' },
    formatRelative(time, now),
    ' ',
    el('span', { class: 'exact' }, formatClock(time, now)),
  );
}

export type Mark = 'good' | 'warning' | 'bad' | 'unknown';

/** Each state has a sign of its own, so that colour is not the only one. */
const signs: Record<Mark, string> = { good: '✓', warning: '!', bad: '✕', unknown: '?' };

/** A state as sign and word. */
export function badge(mark: Mark, ...word: readonly Content[]): Element {
  return el('span', { class: `badge ${mark}` }, sign(mark), el('span', {}, ...word));
}

export function sign(mark: Mark): Element {
  return el('span', { class: 'sign', 'aria-hidden': 'true' }, signs[mark]);
}

export function code(text: string): Element {
  return el('code', {}, text);
}

export function dim(...content: readonly Content[]): Element {
  return el('span', { class: 'dim' }, ...content);
}

/** A second line of a cell. */
export function below(...content: readonly Content[]): Element {
  return el('div', { class: 'below' }, ...content);
}

export interface Column<Row> {
  readonly heading: string;
  readonly cell: (row: Row) => Content;
  /** Numbers stand right-aligned. */
  readonly isNumber?: boolean;
  /** Of the column, for the style. */
  readonly class?: string;
  /** In the place of the heading's text, which then is for screen readers alone. */
  readonly head?: Content;
}

export interface TableOptions<Row> {
  /** Read out before the table. */
  readonly caption: string;
  /** The first one heads its row. */
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly class?: string;
}

/** On narrow screens rows become cards (page.css), which takes a table's roles away from some browsers: they are stated. */
export function table<Row>(options: TableOptions<Row>): Element {
  const { caption, columns, rows, keyOf } = options;
  const keys = uniqueKeys(rows.map(keyOf));
  return el(
    'table',
    { role: 'table', class: options.class ?? '' },
    el('caption', { class: 'spoken' }, caption),
    el('thead', { role: 'rowgroup' }, el('tr', { role: 'row' }, columns.map(headCell))),
    el(
      'tbody',
      { role: 'rowgroup' },
      rows.map((row, at) =>
        el(
          'tr',
          { role: 'row', key: keys[at] ?? '' },
          columns.map((column, index) => bodyCell(column, row, index)),
        ),
      ),
    ),
  );
}

/** Two rows that look alike are two rows all the same. */
function uniqueKeys(keys: readonly string[]): readonly string[] {
  const seen = new Map<string, number>();
  return keys.map((key) => {
    const times = (seen.get(key) ?? 0) + 1;
    seen.set(key, times);
    return times === 1 ? key : `${key} #${times}`;
  });
}

function headCell<Row>(column: Column<Row>): Element {
  const content = column.head === undefined ? column.heading : [spoken(column.heading), column.head];
  return el('th', { role: 'columnheader', scope: 'col', class: classOf(column) }, content);
}

function bodyCell<Row>(column: Column<Row>, row: Row, index: number): Element {
  const attributes = { class: classOf(column), 'data-label': column.heading };
  const content = el('div', {}, column.cell(row));
  return index === 0
    ? el('th', { role: 'rowheader', scope: 'row', ...attributes }, content)
    : el('td', { role: 'cell', ...attributes }, content);
}

function classOf<Row>({ isNumber = false, class: name = '' }: Column<Row>): string {
  return `${isNumber ? 'number ' : ''}${name}`.trim();
}

export function spoken(text: string): Element {
  return el('span', { class: 'spoken' }, text);
}

/** In the place of a table without rows: what to expect. */
export function empty(...sentences: readonly string[]): Element {
  return el('p', { class: 'empty' }, sentences.join(' '));
}

export interface Shortened<Row> {
  readonly rows: readonly Row[];
  readonly button: Element | null;
}

/** The first rows, and the button that shows or hides the rest; `id` names the list. */
export function shorten<Row>(
  rows: readonly Row[],
  { id, isOpen, most }: { readonly id: string; readonly isOpen: boolean; readonly most: number },
): Shortened<Row> {
  if (rows.length <= most) return { rows, button: null };
  const attributes = { type: 'button', class: 'more', 'data-toggle': id, 'aria-expanded': String(isOpen) };
  const text = isOpen ? `Show the first ${most}` : `Show all ${rows.length}`;
  return { rows: isOpen ? rows : rows.slice(0, most), button: el('button', attributes, text) };
}
