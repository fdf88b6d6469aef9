/** The only importer of prom-client: makes metrics from the metric table and prints them in Prometheus' text format. */
import { Counter, collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client';
import { secondsBounds } from './bucket-counts.ts';
import { MergedHistogram } from './histogram.ts';
import { type MetricName, metricTable } from './metric-table.ts';

export type { Counter, Gauge };

/** Gauges of prom-client named as counters, which Prometheus' checks refuse. The series without _total have the same by type. */
const misnamedGauges = ['handles', 'requests', 'resources'].map((what) => `nodejs_active_${what}_total`);

export class MetricRegistry {
  readonly #registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
    for (const name of misnamedGauges) this.#registry.removeSingleMetric(name);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** `collect` is called at every scrape. */
  counter(name: MetricName, collect?: (counter: Counter) => void): Counter {
    const registers = [this.#registry];
    return new Counter({
      ...describeMetric(name),
      registers,
      ...(collect && { collect: onScrape(collect) }),
    });
  }

  /** A counter whose total `value` returns at every scrape. */
  total(name: MetricName, value: () => number): void {
    this.counter(name, (counter) => {
      counter.reset();
      counter.inc(value());
    });
  }

  /** Emptied and set again at every scrape, so that no series outlives its subject. */
  gauge(name: MetricName, collect: (gauge: Gauge) => void): void {
    const set = (gauge: Gauge): void => {
      gauge.reset();
      collect(gauge);
    };
    new Gauge({ ...describeMetric(name), registers: [this.#registry], collect: onScrape(set) });
  }

  histogram(name: MetricName, bounds: readonly number[] = secondsBounds): MergedHistogram {
    const histogram = new MergedHistogram({ ...describeMetric(name), bounds });
    this.#registry.registerMetric(histogram as unknown as Metric);
    return histogram;
  }
}

/** prom-client calls `collect` with the metric as `this`. */
function onScrape<M>(collect: (metric: M) => void): (this: M) => void {
  return function (this: M): void {
    collect(this);
  };
}

/** The row of the metric table, as prom-client takes it. */
export function describeMetric(name: MetricName): {
  name: string;
  help: string;
  labelNames: readonly string[];
} {
  const row = metricTable.find((metric) => metric.name === name);
  return { name, help: row?.help ?? '', labelNames: row?.labels ?? [] };
}
