/** The rules for Prometheus without Helm are the chart's, without its placeholders and Kubernetes labels. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { plainRules } from '../../config/plain-rules.ts';
import { metricTable } from '../../src/telemetry/metric-table.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: object;
  readonly annotations: Record<string, string>;
}

const chart = parse(
  readFileSync(new URL('../../helm/ehi-gateway/files/alerts.yaml', import.meta.url), 'utf8'),
) as Rule[];
const rulesOf = (text: string): Rule[] => parse(text).groups.flatMap(({ rules }: { rules: Rule[] }) => rules);

test('has the chart’s alerts in the same order, with the same times and labels', () => {
  const facts = (rules: readonly Rule[]) =>
    rules.map(({ alert, labels, for: after }) => ({ alert, labels, after }));
  expect(facts(rulesOf(plainRules()))).toEqual(facts(chart));
});

test('uses only metrics of the gateway, and no label of Kubernetes', () => {
  const known = new Set<string>(metricTable.map(({ name }) => name));
  for (const { expr, annotations } of rulesOf(plainRules())) {
    const used = [...expr.matchAll(/\behi_\w+/g)].map(([name]) => name.replace(/_(bucket|count|sum)$/, ''));
    expect(used.filter((name) => !known.has(name))).toEqual([]);
    expect([expr, ...Object.values(annotations)].join('\n')).not.toMatch(
      /\$gateway|\$fetched|namespace|\bpod\b/,
    );
  }
});

test('removes the release from selectors, and adds the job to metrics that other jobs have too', () => {
  const alert = (expr: string) => ({
    alert: 'A',
    expr,
    labels: {},
    annotations: { summary: '{{ $labels.pod }}' },
  });
  const exprOf = (expr: string) => rulesOf(plainRules(JSON.stringify([alert(expr)])))[0]?.expr;
  expect(exprOf('sum by (namespace) (ehi_a{$gateway}) > ehi_b{$gateway,c="d"}')).toBe(
    'sum by (job) (ehi_a) > ehi_b{c="d"}',
  );
  expect(exprOf('up{$gateway} == 0')).toBe('up{job="ehi-gateway"} == 0');
  expect(exprOf('sum by (pod) (ehi_a{$gateway})')).toBe('sum by (instance) (ehi_a)');
  expect(() => exprOf('ehi_a{$gateway,anchor!~"$fetched"}')).toThrow('$fetched');
});
