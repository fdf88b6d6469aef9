/**
 * What a panel of the Grafana dashboard is made from. In a query `$gateway` stands for the label matchers of the chosen
 * gateways, and `$__rate_interval` for a window that Grafana fits to the scrape interval.
 */

export interface Query {
  readonly expr: string;
  /** Grafana's legend: `{{label}}` stands for the label's value. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** What it shows, and what to do if it is not as it should be. */
  readonly description: string;
  /** stat: the last value; time: a time series; table: one row for each series, with the last value. */
  readonly kind: 'stat' | 'time' | 'table';
  /** A unit by Grafana's identifier. dateTimeAsIso needs milliseconds. */
  readonly unit: 'short' | 's' | 'percentunit' | 'reqps' | 'cps' | 'bytes' | 'none' | 'dateTimeAsIso';
  readonly queries: readonly Query[];
  /** From this value on, and from the second one on: yellow, then red. */
  readonly limits?: readonly [yellow: number, red: number];
  /** Up to this value red; above it green. */
  readonly redBelow?: number;
  /** Names of single values. */
  readonly words?: Readonly<Record<string, string>>;
}

export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** A quantile of a histogram by route. */
const quantile = (q: number, metric: string) =>
  `histogram_quantile(${q}, sum by (route, le) (rate(${metric}_bucket{$gateway}[$__rate_interval])))`;
/** The rate of a counter, summed by these labels. */
export const perSecond = (metric: string, by: string, matchers = '') =>
  `sum by (${by}) (rate(${metric}{$gateway${matchers}}[$__rate_interval]))`;
/** Median and 99th percentile of a histogram by route. */
export const timesOf = (metric: string): Query[] => [
  { expr: quantile(0.5, metric), legend: 'p50 {{route}}' },
  { expr: quantile(0.99, metric), legend: 'p99 {{route}}' },
];
