import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { metricTable } from '../../src/telemetry/metric-table.ts';
import { command, one, render } from './support/chart.ts';

interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string; readonly refId: string }[];
}

const folder = mkdtempSync(join(tmpdir(), 'ehi-dashboard-'));
afterAll(() => rmSync(folder, { recursive: true }));

const text = readFileSync(new URL('../../packaging/grafana/ehi-gateway.json', import.meta.url), 'utf8');
const dashboard = JSON.parse(text);
const panels: readonly Panel[] = dashboard.panels;
const expressions = panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => ({ title, expr })));

it('has queries that Prometheus can read, over metrics that the gateway has', () => {
  const known = new Set(metricTable.map(({ name }) => name as string));
  const rules = expressions.map(({ expr }, index) => ({
    record: `query:${index}`,
    expr: expr.replaceAll('$__rate_interval', '1m'),
  }));
  const file = join(folder, 'queries.json');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
  const { status, stderr } = command('promtool', ['check', 'rules', file]);
  expect([status, stderr]).toEqual([0, '']);
  for (const { title, expr } of expressions) {
    const used = [...expr.matchAll(/\behi_\w+/g)].map(([name]) => name.replace(/_(bucket|count|sum)$/, ''));
    expect(used.length, title).toBeGreaterThan(0);
    expect(used.filter((name) => !known.has(name), title)).toEqual([]);
    // A metric without these labels would show other gateways.
    expect(expr.match(/\behi_\w+(?!\{namespace=~"\$namespace",job=~"\$job")\b(?!\{)/g), title).toBeNull();
  }
});

it('describes each panel, places none over another, and gives each an id', () => {
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  const cells = new Set<string>();
  for (const { type, title, description, gridPos, targets = [] } of panels) {
    if (type !== 'row') expect(description, title).toMatch(/\.$/);
    expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
      for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
        expect(cells.has(`${x} ${y}`), title).toBe(false);
        cells.add(`${x} ${y}`);
      }
  }
});

it('is a ConfigMap for the sidecar of Grafana, and absent by default', () => {
  const named = (objects: ReturnType<typeof render>) =>
    objects.filter(({ metadata }) => metadata.name.endsWith('-dashboard'));
  expect(named(render('default'))).toEqual([]);
  const map = one(named(render('service-monitor')), 'ConfigMap');
  expect(map.metadata.labels).toMatchObject({ grafana_dashboard: '1' });
  expect(map.metadata.annotations).toEqual({ grafana_folder: 'Payments' });
  expect(JSON.parse(map.data['ehi-gateway.json'])).toEqual(dashboard);
});
