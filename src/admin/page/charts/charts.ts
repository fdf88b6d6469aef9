/** The charts of the page: what each shows of the history, and where it is drawn. */
import type { History } from '../../status-schema.ts';
import { formatCount, formatMilliseconds, formatRate } from '../format.ts';
import { Chart, type Drawing } from './chart.ts';
import type { ChartId } from './figures.ts';
import { latencyOf, perMinute, rateOf, spanOf } from './series.ts';

export class Charts {
  readonly #charts = new Map<ChartId, Chart>();
  #drawn: History | null = null;

  /** Draws into the elements that carry `data-chart`; does nothing for a history that is drawn already. */
  draw(history: History, budgetMs: number | null): void {
    if (history === this.#drawn) return;
    this.#drawn = history;
    for (const drawing of drawingsOf(history, budgetMs)) {
      const place = document.querySelector<HTMLElement>(`[data-chart="${drawing.id}"]`);
      if (place === null) continue;
      const chart = this.#charts.get(drawing.id);
      if (chart?.isIn(place)) chart.update(drawing);
      else this.#charts.set(drawing.id, new Chart(place, drawing));
    }
  }

  /** After a change of the colours. */
  repaint(): void {
    for (const chart of this.#charts.values()) chart.repaint();
  }
}

function drawingsOf(history: History, budgetMs: number | null): Drawing[] {
  const common = {
    height: 76,
    limit: null,
    isLogarithmic: false,
    hasTimes: false,
    format: formatCount,
    span: spanOf(history, Date.now() / 1000),
  };
  const bars = (id: 'allowed' | 'denied' | 'failed' | 'late', colour: string): Drawing => ({
    ...common,
    id,
    lines: [{ series: perMinute(history, history[id]), label: `${id}:`, look: { kind: 'bars', colour } }],
  });
  const timed = { hasTimes: true, height: 94 };
  return [
    bars('allowed', '--accent'),
    bars('denied', '--bad'),
    { ...bars('failed', '--warn'), ...timed },
    latencyDrawing(history, { ...common, limit: budgetMs }),
    {
      ...common,
      id: 'rate',
      lines: [{ series: rateOf(history), label: 'messages/s:', look: { kind: 'area', colour: '--accent' } }],
      format: formatRate,
    },
    { ...bars('late', '--bad'), ...timed },
  ];
}

function latencyDrawing(history: History, common: Omit<Drawing, 'id' | 'lines'>): Drawing {
  return {
    ...common,
    id: 'latency',
    height: 132,
    isLogarithmic: true,
    format: formatMilliseconds,
    lines: [
      {
        series: latencyOf(history, history.p99Ms),
        label: 'p99',
        look: { kind: 'line', colour: '--accent' },
      },
      {
        series: latencyOf(history, history.p50Ms),
        label: 'p50',
        look: { kind: 'line', colour: '--dim', dash: [5, 3] },
      },
    ],
  };
}
