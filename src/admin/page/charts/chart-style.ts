/** How the lines and bars of a chart look: colours of the page, so that they follow light and dark, and dashes. */
import uPlot from 'uplot';
import type { Series, Values } from './series.ts';

export interface Line {
  readonly series: Series;
  readonly label: string;
  readonly look: Look;
}

/** `colour`: a custom property of the page. */
export interface Look {
  readonly kind: 'bars' | 'area' | 'line';
  readonly colour: string;
  readonly dash?: readonly number[];
}

/** A bar keeps a gap; with little room it has none. */
const barPaths = uPlot.paths.bars?.({ size: [0.75, 22] });

export const font = '11px system-ui, sans-serif';

export function seriesOf({ look, label }: Line): uPlot.Series {
  const stroke = () => colourOf(look.colour);
  const base: uPlot.Series = { label, stroke, width: 1.5, points: { show: false }, spanGaps: false };
  if (look.dash !== undefined) base.dash = [...look.dash];
  switch (look.kind) {
    case 'bars':
      return { ...base, width: 0, fill: stroke, ...(barPaths === undefined ? {} : { paths: barPaths }) };
    case 'area':
      return { ...base, fill: () => `${colourOf(look.colour)}22` };
    case 'line':
      return { ...base, points: { show: isLonely, size: 4, fill: stroke } };
    default:
      return look.kind satisfies never;
  }
}

/** A value between two steps without one would not be visible as a line. */
const isLonely: uPlot.Series.Points.Show = (plot, index) => {
  const values = plot.data[index] as Values;
  return values.some((value, at) => value !== null && isEmpty(values[at - 1]) && isEmpty(values[at + 1]));
};

function isEmpty(value: number | null | undefined): boolean {
  return value === null || value === undefined;
}

export function gridOf(): uPlot.Axis.Grid {
  return { stroke: () => colourOf('--line'), width: 1 };
}

export function colourOf(property: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(property).trim();
}
