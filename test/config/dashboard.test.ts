/** The Grafana dashboard uses metrics, labels and alerts that exist, and each of its panels explains itself. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { grafanaDashboard } from '../../config/dashboard/grafana-dashboard.ts';
import { metricTable } from '../../src/telemetry/metric-table.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly {
    readonly expr: string;
    readonly refId: string;
    readonly legendFormat: string;
  }[];
}

const dashboard = JSON.parse(grafanaDashboard());
const panels: readonly Panel[] = dashboard.panels;
const shown = panels.filter(({ type }) => type !== 'row');
const targets = shown.flatMap(({ targets = [] }) => targets);
const labelsOf = new Map(
  metricTable.map(({ name, labels }) => [name as string, labels as readonly string[]]),
);

/** Labels that Prometheus adds, and that of a histogram's buckets. */
const added = ['namespace', 'job', 'instance', 'le'];

function metricsIn(expr: string): string[] {
  return [...expr.matchAll(/\behi_\w+/g)].map(([name]) => name.replace(/_(bucket|count|sum)$/, ''));
}

test('queries only metrics that the gateway has, of the chosen gateways', () => {
  for (const { expr } of targets) {
    expect(metricsIn(expr).filter((name) => !labelsOf.has(name))).toEqual([]);
    const selected = expr.match(/\behi_\w+\{namespace=~"\$namespace",job=~"\$job",instance=~"\$instance"/g);
    expect(selected, expr).toHaveLength(metricsIn(expr).length);
    expect(metricsIn(expr).length).toBeGreaterThan(0);
  }
});

test('groups, filters and names series only by labels that their metrics have', () => {
  for (const { expr, legendFormat } of targets) {
    const known = [...added, ...metricsIn(expr).flatMap((name) => labelsOf.get(name) ?? [])];
    const grouped = [...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(', '));
    const filtered = [...expr.matchAll(/(\w+)(?:=~|!~|!=|=)"/g)].map(([, label = '']) => label);
    const named = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    expect(
      [...grouped, ...filtered, ...named].filter((label) => !known.includes(label)),
      expr,
    ).toEqual([]);
    // A label that the query sums away would be empty in the legend.
    if (grouped.length > 0)
      expect(
        named.filter((label) => !grouped.includes(label)),
        expr,
      ).toEqual([]);
  }
});

test('describes each panel, and names only alerts that exist', () => {
  const file = new URL('../../helm/ehi-gateway/files/alerts.yaml', import.meta.url);
  const alerts = parse(readFileSync(file, 'utf8')).map(({ alert }: { alert: string }) => alert);
  for (const { title, description = '' } of shown) {
    expect(description, title).toMatch(/\.$/);
    const named = [...description.matchAll(/\bEhi\w+/g)].map(([name]) => name);
    expect(named.filter((name) => !alerts.includes(name))).toEqual([]);
  }
});

test('places no panel over another, and gives each an id of its own and its queries a letter each', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = new Set<string>();
  for (const { title, gridPos, targets = [] } of panels) {
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(cells.has(`${x} ${y}`), title).toBe(false);
        cells.add(`${x} ${y}`);
      }
  }
});

test('lets the reader choose data source, namespace, job and instance', () => {
  const names = dashboard.templating.list.map(({ name }: { name: string }) => name);
  expect(names).toEqual(['datasource', 'namespace', 'job', 'instance']);
  expect(shown.filter((panel) => !JSON.stringify(panel).includes('"uid":"$datasource"'))).toEqual([]);
});
