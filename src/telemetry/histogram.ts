/** A histogram that accepts bucket counts, which prom-client's own cannot, in the form that its registry prints. */
import type { HistogramDelta } from './bucket-counts.ts';

interface Sample {
  readonly metricName: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: number[];
  sum: number;
}

export class MergedHistogram {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Series>();

  constructor(options: { readonly name: string; readonly help: string; readonly bounds: readonly number[] }) {
    this.name = options.name;
    this.help = options.help;
    this.#bounds = options.bounds;
  }

  /** `labels`: always with their keys in the same order. */
  add(labels: Readonly<Record<string, string>>, delta: HistogramDelta): void {
    const key = JSON.stringify(labels);
    let series = this.#series.get(key);
    if (series === undefined) {
      series = { labels, counts: delta.counts.map(() => 0), sum: 0 };
      this.#series.set(key, series);
    }
    for (const [bucket, count] of delta.counts.entries()) {
      series.counts[bucket] = (series.counts[bucket] ?? 0) + count;
    }
    series.sum += delta.sum;
  }

  /** Called by prom-client's registry. Buckets are cumulative, as Prometheus' format requires. */
  get(): { name: string; help: string; type: string; aggregator: string; values: Sample[] } {
    const { name, help, type, aggregator } = this;
    return {
      name,
      help,
      type,
      aggregator,
      values: [...this.#series.values()].flatMap((one) => this.#samples(one)),
    };
  }

  #samples({ labels, counts, sum }: Series): Sample[] {
    let count = 0;
    const samples: Sample[] = counts.map((observed, bucket) => {
      count += observed;
      const le = this.#bounds[bucket] ?? '+Inf';
      return { metricName: `${this.name}_bucket`, labels: { le, ...labels }, value: count };
    });
    samples.push({ metricName: `${this.name}_sum`, labels, value: sum });
    samples.push({ metricName: `${this.name}_count`, labels, value: count });
    return samples;
  }
}
