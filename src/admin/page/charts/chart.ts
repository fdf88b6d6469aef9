/** Draws one chart with uPlot, in the colours of the page, and keeps it up to date. */
import uPlot from 'uplot';
import { colourOf, font, gridOf, type Line, seriesOf } from './chart-style.ts';
import type { ChartId } from './figures.ts';

export interface Drawing {
  readonly id: ChartId;
  /** All with the same times. */
  readonly lines: readonly Line[];
  readonly height: number;
  /** A horizontal line. */
  readonly limit: number | null;
  readonly isLogarithmic: boolean;
  /** Whether the axis of time is shown. */
  readonly hasTimes: boolean;
  readonly format: (value: number) => string;
  /** Seconds since the epoch at both ends. */
  readonly span: readonly [from: number, to: number];
}

/** Pixels. */
const widthOfScale = 52;
const minWidth = 120;
export class Chart {
  readonly #place: HTMLElement;
  readonly #plot: uPlot;
  readonly #readout: HTMLElement;
  #drawing: Drawing;

  constructor(place: HTMLElement, drawing: Drawing) {
    this.#place = place;
    this.#drawing = drawing;
    this.#readout = document.createElement('div');
    this.#readout.className = 'readout';
    this.#readout.setAttribute('aria-hidden', 'true');
    this.#plot = new uPlot(this.#options(), dataOf(drawing), place);
    place.append(this.#readout);
    new ResizeObserver(() => this.#resize()).observe(place);
  }

  /** Whether the chart still is in its place. */
  isIn(place: HTMLElement): boolean {
    return this.#place === place;
  }

  update(drawing: Drawing): void {
    this.#drawing = drawing;
    this.#plot.setData(dataOf(drawing));
  }

  /** After a change of the colours. */
  repaint(): void {
    this.#plot.redraw(true, true);
  }

  #resize(): void {
    const width = Math.max(minWidth, this.#place.clientWidth);
    if (width !== this.#plot.width) this.#plot.setSize({ width, height: this.#drawing.height });
  }

  #options(): uPlot.Options {
    const { lines, height, isLogarithmic } = this.#drawing;
    return {
      width: Math.max(minWidth, this.#place.clientWidth),
      height,
      padding: [8, 18, this.#drawing.hasTimes ? 0 : 8, 0],
      legend: { show: false },
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), 'Etc/UTC'),
      cursor: { y: false, drag: { x: false, y: false }, sync: { key: 'hour' }, points: { size: 6 } },
      scales: {
        x: { range: () => [...this.#drawing.span] },
        y: { distr: isLogarithmic ? 3 : 1, range: (_plot, _min, max) => this.#range(max) },
      },
      axes: [this.#timeAxis(), this.#valueAxis()],
      series: [{}, ...lines.map(seriesOf)],
      hooks: { draw: [(plot) => this.#drawLimit(plot)], setCursor: [(plot) => this.#read(plot)] },
    };
  }

  #range(max: number | null): [number, number] {
    const { isLogarithmic, limit } = this.#drawing;
    const top = Math.max(max ?? 0, limit ?? 0);
    // One decade above what is drawn, so that the limit has its room.
    if (isLogarithmic) return [leastLatencyMs, 10 ** Math.ceil(Math.log10(Math.max(10, top * 1.5)))];
    return [0, Math.max(1, top * 1.15)];
  }

  #timeAxis(): uPlot.Axis {
    const base = { stroke: () => colourOf('--dim'), font, ticks: { show: false } };
    const common = { ...base, space: 64, grid: gridOf() };
    if (!this.#drawing.hasTimes) return { ...common, size: 0, values: () => [] };
    return {
      ...common,
      size: 24,
      gap: 4,
      grid: gridOf(),
      values: (_plot, times) => times.map(clockOf),
    };
  }

  #valueAxis(): uPlot.Axis {
    const { isLogarithmic, format } = this.#drawing;
    return {
      stroke: () => colourOf('--dim'),
      font,
      size: widthOfScale,
      gap: 6,
      space: 26,
      grid: gridOf(),
      ticks: { show: false },
      ...(isLogarithmic ? { splits: (plot) => decades(plot.scales.y?.max ?? 1) } : { incrs: [...steps] }),
      values: (_plot, values) => values.map(format),
    };
  }

  #drawLimit(plot: uPlot): void {
    const { limit } = this.#drawing;
    if (limit === null) return;
    const { ctx, bbox } = plot;
    const y = plot.valToPos(limit, 'y', true);
    ctx.save();
    ctx.strokeStyle = colourOf('--bad');
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([2 * devicePixelRatio, 4 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }

  /** The values under the pointer, as text. */
  #read(plot: uPlot): void {
    const index = plot.cursor.idx;
    const { lines, format } = this.#drawing;
    const time = index === null || index === undefined ? undefined : plot.data[0]?.[index];
    if (index === null || index === undefined || time === undefined || (plot.cursor.left ?? -1) < 0) {
      this.#readout.textContent = '';
      return;
    }
    const values = lines.map(({ series, label }) => {
      const value = series.values[index] ?? null;
      return `${label} ${value === null ? '–' : format(value)}`;
    });
    this.#readout.textContent = `${clockOf(time)}  ${values.join(', ')}`;
  }
}

/** Of counts: whole numbers. */
const steps = [1, 2, 5]
  .flatMap((step) => [0, 1, 2, 3, 4, 5, 6].map((power) => step * 10 ** power))
  .sort((a, b) => a - b);

const leastLatencyMs = 0.1;

function decades(max: number): number[] {
  const count = Math.round(Math.log10(max / leastLatencyMs));
  return Array.from({ length: count + 1 }, (_, power) => leastLatencyMs * 10 ** power);
}

function dataOf({ lines, isLogarithmic }: Drawing): uPlot.AlignedData {
  const times = lines[0]?.series.times ?? [];
  // A logarithm has no zero.
  const floor = (value: number | null) =>
    value === null || !isLogarithmic ? value : Math.max(leastLatencyMs, value);
  return [[...times], ...lines.map(({ series }) => series.values.map(floor))];
}

/** `05:12`, in UTC. */
function clockOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(11, 16);
}
