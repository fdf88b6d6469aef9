import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { metricTable } from '../../src/telemetry/metric-table.ts';
import { alertCases, type Series } from './support/alert-cases.ts';
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

/**
 * Lets promtool evaluate half an hour of these series, and compare the alerts with the expected ones, or the results of
 * expressions.
 */
function evaluate(
  alertname: string,
  input_series: object[],
  exp_alerts: object[] | null,
  promql_expr_test: object[] = [],
) {
  const alert_rule_test = exp_alerts === null ? [] : [{ eval_time: '30m', alertname, exp_alerts }];
  const file = join(folder, 'test.json');
  const tests = [{ interval: '1m', input_series, alert_rule_test, promql_expr_test }];
  writeFileSync(file, JSON.stringify({ rule_files: [rulesFile], evaluation_interval: '1m', tests }));
  const { status, stdout, stderr } = command('promtool', ['test', 'rules', file]);
  return { passed: status === 0, output: stdout + stderr };
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

describe.each(Object.entries(alertCases))(
  '%s',
  (name, { fires, labels, description, silent, also = [], absence }) => {
    const rule = rules.find(({ alert }) => alert === name) as Rule;
    const expected = {
      exp_labels: { ...rule.labels, namespace: 'cards', ...labels },
      exp_annotations: { ...rule.annotations, description },
    };

    it('fires, with its description', () => {
      expect(evaluate(name, seriesOf(fires), [expected])).toEqual({
        passed: true,
        output: expect.any(String),
      });
    });

    it.each(also.map(({ series, labels: others }) => [others, series]))(
      'fires with the labels %j for %j',
      (others, series) => {
        const alert = `ALERTS{alertname="${name}",alertstate="firing"}`;
        const exp_samples = [
          {
            labels: alert.replace(/}$/, `,${labelsOf({ ...rule.labels, namespace: 'cards', ...others })}}`),
            value: 1,
          },
        ];
        expect(
          evaluate(name, seriesOf(series), null, [{ expr: alert, eval_time: '30m', exp_samples }]),
        ).toEqual({
          passed: true,
          output: expect.any(String),
        });
      },
    );

    it.each(silent.map((series) => [series]))('does not fire for %j', (series) => {
      expect(evaluate(name, seriesOf(series), [])).toEqual({ passed: true, output: expect.any(String) });
    });

    it.skipIf(absence)('does not fire for another release', () => {
      const others = { namespace: 'cards', job: 'other-ehi-gateway-admin', pod: 'a' };
      expect(evaluate(name, seriesOf(fires, others), [])).toEqual({
        passed: true,
        output: expect.any(String),
      });
    });
  },
);

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
