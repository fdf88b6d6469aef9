import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { metricTable } from '../../src/telemetry/metric-table.ts';
import { type AlertCase, alertCases, type Series } from './support/alert-cases.ts';
import { chart, command, one, render } from './support/chart.ts';

interface Rule {
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Record<string, string>;
  readonly annotations: Record<string, string>;
}

const folder = mkdtempSync(join(tmpdir(), 'ehi-chart-'));
afterAll(() => rmSync(folder, { recursive: true }));

const rulesOf = (set: string, values?: object): Rule[] =>
  one(render(set, values), 'PrometheusRule').spec.groups[0].rules;
const rules = rulesOf('service-monitor', { monitoring: { prometheusRule: { alertLabels: {} } } });
const rulesFile = join(folder, 'rules.json');
writeFileSync(rulesFile, JSON.stringify({ groups: [{ name: 'chart', rules }] }));

/** Adds the labels of the Prometheus operator, unless the series sets them itself. */
function seriesOf(
  series: Series,
  operators = { namespace: 'cards', job: 'edge-ehi-gateway-admin', pod: 'a' },
) {
  return Object.entries(series).map(([written, values]) => {
    const [, name, labels = ''] = /^(\w+)(?:\{(.*)\})?$/.exec(written) ?? [];
    const given = Object.entries(operators).filter(([key]) => !labels.includes(`${key}="`));
    const all = [...given.map(([key, value]) => `${key}="${value}"`), ...(labels ? [labels] : [])];
    return { series: `${name}{${all.join(',')}}`, values };
  });
}

const labelsOf = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels)
    .map(([key, value]) => `${key}="${value}"`)
    .join(',');

/** What promtool evaluates, and what it must find. */
interface Evaluation {
  readonly alertname: string;
  readonly series: object[];
  readonly time: AlertCase['time'];
  /** The alerts that fire, with their labels and annotations; or the labels alone of the one that fires. */
  readonly expected: readonly object[] | { readonly labels: Readonly<Record<string, string>> };
}

function evaluate({ alertname, series, time, expected }: Evaluation) {
  const { interval, at: eval_time } = time ?? { interval: '1m', at: '30m' };
  const test = { interval, input_series: series };
  const one = 'labels' in expected ? expected.labels : null;
  const firing = `ALERTS{alertname="${alertname}",alertstate="firing"}`;
  const tests = one
    ? {
        ...test,
        promql_expr_test: [
          {
            expr: firing,
            eval_time,
            exp_samples: [{ labels: firing.replace(/}$/, `,${labelsOf(one)}}`), value: 1 }],
          },
        ],
      }
    : { ...test, alert_rule_test: [{ eval_time, alertname, exp_alerts: expected }] };
  const file = join(folder, 'test.json');
  writeFileSync(
    file,
    JSON.stringify({ rule_files: [rulesFile], evaluation_interval: interval, tests: [tests] }),
  );
  const { status, stdout, stderr } = command('promtool', ['test', 'rules', file]);
  return status === 0 ? 'as expected' : stdout + stderr;
}

it('has rules that promtool accepts, over metrics that the gateway has', () => {
  const { status, stderr } = command('promtool', ['check', 'rules', '--lint-fatal', rulesFile]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
  const known = new Set(metricTable.map(({ name }) => name as string));
  for (const { expr } of rules) {
    const used = [...expr.matchAll(/\behi_\w+/g)].map(([name]) => name.replace(/_(bucket|count|sum)$/, ''));
    expect(used.length).toBeGreaterThan(0);
    expect(used.filter((name) => !known.has(name))).toEqual([]);
  }
});

it('has the same rules for Prometheus without Helm, which promtool accepts', () => {
  const plain = fileURLToPath(new URL('../../packaging/prometheus/ehi-gateway.rules.yaml', import.meta.url));
  const { status, stderr } = command('promtool', ['check', 'rules', '--lint-fatal', plain]);
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

it('has a test case and a line in the README for each alert', () => {
  expect(rules.map(({ alert }) => alert)).toEqual(Object.keys(alertCases));
  const readme = readFileSync(`${chart}README.md`, 'utf8').replace('In60Days, …30Days, …7Days', 'In');
  const missing = rules.filter(
    ({ alert = '' }) => !readme.includes(`| ${alert.replace(/In\d+Days$/, 'In')} |`),
  );
  expect(missing).toEqual([]);
});

it('has a runbook for each alert, to which the alert links, and no other', () => {
  const page = readFileSync(new URL('../../docs/alerts.md', import.meta.url), 'utf8');
  const runbooks = [...page.matchAll(/^## (Ehi\w+)$/gm)].map(([, alert]) => alert);
  expect(runbooks).toEqual(rules.map(({ alert }) => alert));
  for (const { alert = '', annotations } of rules)
    expect(annotations.runbook_url).toBe(`docs/alerts.md#${alert.toLowerCase()}`);
  const [published] = rulesOf('service-monitor', {
    monitoring: { prometheusRule: { runbooks: 'https://wiki.example.com/alerts' } },
  });
  expect(published?.annotations.runbook_url).toBe(
    `https://wiki.example.com/alerts#${published?.alert?.toLowerCase()}`,
  );
});

describe.each(Object.entries(alertCases))('%s', (alertname, alertCase) => {
  const { fires, labels, description, silent, also = [], absence, time } = alertCase;
  const rule = rules.find(({ alert }) => alert === alertname) as Rule;
  const all = { ...rule.labels, namespace: 'cards' };

  it('fires, with its description', () => {
    const exp_annotations = { ...rule.annotations, description };
    const expected = [{ exp_labels: { ...all, ...labels }, exp_annotations }];
    expect(evaluate({ alertname, series: seriesOf(fires), time, expected })).toBe('as expected');
  });

  it.each(also)('fires with the labels $labels for $series', ({ series, labels }) => {
    const expected = { labels: { ...all, ...labels } };
    expect(evaluate({ alertname, series: seriesOf(series), time, expected })).toBe('as expected');
  });

  it.each(silent.map((series) => [series]))('does not fire for %j', (series) => {
    expect(evaluate({ alertname, series: seriesOf(series), time, expected: [] })).toBe('as expected');
  });

  it.skipIf(absence)('does not fire for another release', () => {
    const others = { namespace: 'cards', job: 'other-ehi-gateway-admin', pod: 'a' };
    expect(evaluate({ alertname, series: seriesOf(fires, others), time, expected: [] })).toBe('as expected');
  });
});

it('selects the PodMonitor’s series, omits disabled alerts, and adds extra rules', () => {
  const others = rulesOf('pod-monitor');
  expect(others.find(({ alert }) => alert === 'EhiReloadFailed')?.expr).toContain(
    'job="cards/edge-ehi-gateway"',
  );
  expect(others.map(({ alert }) => alert)).not.toContain('EhiCertificateExpiresIn60Days');
  expect(others.at(-1)).toMatchObject({ record: 'ehi:messages:rate5m' });
  expect(others).toHaveLength(rules.length);
  expect(rulesOf('service-monitor').every(({ labels }) => labels.team === 'payments')).toBe(true);
});
