/** Formats rows as aligned columns. */
import { stripVTControlCharacters } from 'node:util';

export interface Column {
  readonly title: string;
  /** Default left. */
  readonly align?: 'left' | 'right';
}

/**
 * One line per row, without trailing spaces, after a line of titles (none if all titles are empty). Cells may contain the
 * escapes of `paint`; a row with fewer cells than columns ends early.
 */
export function formatTable({
  columns,
  rows,
}: {
  readonly columns: readonly Column[];
  readonly rows: readonly (readonly string[])[];
}): string {
  const titles = columns.map(({ title }) => title);
  const lines = titles.some((title) => title !== '') ? [titles, ...rows] : rows;
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => widthOf(cells[index] ?? ''))));
  const pad = (cell: string, index: number) => {
    const space = ' '.repeat(Math.max(0, (widths[index] ?? 0) - widthOf(cell)));
    return columns[index]?.align === 'right' ? space + cell : cell + space;
  };
  return lines.map((cells) => cells.map(pad).join('  ').trimEnd()).join('\n');
}

/** Columns on the terminal. East Asian wide characters count as one: names in them are rare, and only the alignment suffers. */
function widthOf(cell: string): number {
  return [...new Intl.Segmenter().segment(stripVTControlCharacters(cell))].length;
}
