/** Charts as SVG for an evidence page; colours come from the page, so that they suit light, dark and print. */
import { escapeHtml } from './escape.ts';

export interface Bar {
  readonly label: string;
  /** Not negative. */
  readonly value: number;
}

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

const size = { width: 720, height: 260 } as const;
const area = { left: 56, right: 12, top: 12, bottom: 40 } as const;
const plot = {
  width: size.width - area.left - area.right,
  height: size.height - area.top - area.bottom,
  floor: size.height - area.bottom,
} as const;
/** Variables of the page's style. */
const colours = ['--a', '--b', '--c', '--d'] as const;
const maxLabels = 12;

/** Vertical bars. `label`: what the chart shows, for readers who do not see it; `unit`: of the values. */
export function barChart(options: { label: string; unit: string; bars: readonly Bar[] }): string {
  const { label, unit, bars } = options;
  const top = ceilingOf(bars.map(({ value }) => value));
  const step = plot.width / Math.max(1, bars.length);
  const every = Math.ceil(bars.length / maxLabels);
  const columns = bars.map((bar, index) => {
    const height = (bar.value / top) * plot.height;
    const x = area.left + index * step;
    const title = `<title>${escapeHtml(`${bar.label}: ${plain(bar.value)} ${unit}`)}</title>`;
    const rect = `<rect x="${fixed(x + 1)}" y="${fixed(plot.floor - height)}" width="${fixed(Math.max(1, step - 2))}" height="${fixed(height)}" fill="var(--a)">${title}</rect>`;
    return index % every === 0 ? rect + textAt(x + step / 2, plot.floor + 16, bar.label, 'middle') : rect;
  });
  return frame(label, `${axis(top, unit)}${columns.join('')}`);
}

/** Lines over a common x axis that starts at the smallest x. */
export function lineChart(options: {
  label: string;
  unit: string;
  series: readonly Series[];
  xUnit: string;
}): string {
  const { label, unit, series, xUnit } = options;
  const points = series.flatMap(({ points }) => points);
  const top = ceilingOf(points.map(([, y]) => y));
  // Not Math.min(...): a long run has more points than a call may have arguments.
  const from = points.reduce((least, [x]) => Math.min(least, x), Number.POSITIVE_INFINITY);
  const to = points.reduce((most, [x]) => Math.max(most, x), Number.NEGATIVE_INFINITY);
  const at = ([x, y]: readonly [number, number]) => {
    const share = to > from ? (x - from) / (to - from) : 0;
    return `${fixed(area.left + share * plot.width)},${fixed(plot.floor - (y / top) * plot.height)}`;
  };
  const lines = series.map(({ name, points }, index) => {
    const colour = colours[index % colours.length];
    const line = `<polyline fill="none" stroke="var(${colour})" stroke-width="1.5" points="${points.map(at).join(' ')}"/>`;
    const x = area.left + 8 + index * 150;
    const key = `<rect x="${x}" y="${size.height - 12}" width="10" height="3" fill="var(${colour})"/>`;
    return line + key + textAt(x + 14, size.height - 7, name, 'start');
  });
  const ends =
    points.length === 0
      ? ''
      : textAt(area.left, plot.floor + 16, `${plain(from)} ${xUnit}`, 'start') +
        textAt(size.width - area.right, plot.floor + 16, `${plain(to)} ${xUnit}`, 'end');
  return frame(label, `${axis(top, unit)}${lines.join('')}${ends}`);
}

function frame(label: string, content: string): string {
  return `<svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${escapeHtml(label)}">${content}</svg>`;
}

function axis(top: number, unit: string): string {
  const lines = [0, 0.5, 1].map((share) => {
    const y = plot.floor - share * plot.height;
    const line = `<line x1="${area.left}" y1="${fixed(y)}" x2="${size.width - area.right}" y2="${fixed(y)}" stroke="var(--line)"/>`;
    return line + textAt(area.left - 6, y + 4, plain(top * share), 'end');
  });
  return lines.join('') + textAt(area.left + 4, area.top + 12, unit, 'start');
}

function textAt(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" text-anchor="${anchor}">${escapeHtml(text)}</text>`;
}

/** The next 1, 2 or 5 times a power of ten; 1 for no value. */
function ceilingOf(values: readonly number[]): number {
  const largest = values.reduce((most, value) => Math.max(most, value), 0);
  if (largest <= 0) return 1;
  const power = 10 ** Math.floor(Math.log10(largest));
  return ([1, 2, 5, 10].find((factor) => factor * power >= largest) ?? 10) * power;
}

function fixed(value: number): string {
  return value.toFixed(1);
}

function plain(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
