/** The dashboard's queries as Prometheus parses them, and the ConfigMap that brings it to Grafana. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { clientRows } from '../../config/dashboard/client-rows.ts';
import { evidenceRows } from '../../config/dashboard/evidence-rows.ts';
import { messageRows } from '../../config/dashboard/message-rows.ts';
import { command, one, render } from './support/chart.ts';

const folder = mkdtempSync(join(tmpdir(), 'ehi-dashboard-'));
afterAll(() => rmSync(folder, { recursive: true }));

const text = readFileSync(new URL('../../packaging/grafana/ehi-gateway.json', import.meta.url), 'utf8');
const dashboard = JSON.parse(text);

function check(expressions: readonly string[]) {
  const rules = expressions.map((expr, index) => ({
    record: `query:${index}`,
    expr: expr.replaceAll('$__rate_interval', '1m').replaceAll('$__range', '3h'),
  }));
  const file = join(folder, 'queries.json');
  writeFileSync(file, JSON.stringify({ groups: [{ name: 'dashboard', rules }] }));
  const { status, stderr } = command('promtool', ['check', 'rules', file]);
  return { status, stderr };
}

it('has queries that Prometheus can read', () => {
  const targets = dashboard.panels.flatMap((panel: { targets?: { expr: string }[] }) => panel.targets ?? []);
  const expressions = targets.map(({ expr }: { expr: string }) => expr);
  const rows = [...messageRows, ...clientRows, ...evidenceRows];
  expect(expressions).toHaveLength(
    rows.flatMap(({ panels }) => panels.flatMap(({ queries }) => queries)).length,
  );
  const annotations = dashboard.annotations.list.map(({ expr }: { expr: string }) => expr);
  expect(check([...expressions, ...annotations])).toEqual({ status: 0, stderr: '' });
  expect(check(['sum by (reason) (rate(ehi_messages_total[1m])'])).toMatchObject({ status: 1 });
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
