import { describe, expect, it } from 'vitest';
import { barChart, lineChart } from '../../src/evidence/chart.ts';
import { evidencePage, type Section } from '../../src/evidence/page.ts';

const hostile = `<script>alert("1")</script>&'\u202e\u001b`;
const escaped = '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;\\u{202e}\\u{1b}';

const sections: readonly Section[] = [
  {
    kind: 'checks',
    heading: hostile,
    checks: [{ outcome: 'fail', name: hostile, fact: hostile, hint: hostile }],
  },
  { kind: 'table', heading: 'table', columns: [hostile], rows: [[hostile]] },
  { kind: 'text', heading: 'text', text: hostile },
  {
    kind: 'chart',
    heading: 'bars',
    svg: barChart({ label: hostile, unit: hostile, bars: [{ label: hostile, value: 3 }] }),
  },
  {
    kind: 'chart',
    heading: 'lines',
    svg: lineChart({
      label: hostile,
      unit: 'ms',
      xUnit: 's',
      series: [
        {
          name: hostile,
          points: [
            [0, 1],
            [1, 2],
          ],
        },
      ],
    }),
  },
];

function page(): string {
  return evidencePage({
    title: hostile,
    subtitle: hostile,
    at: new Date('2026-01-02T03:04:05Z'),
    version: '1.2.3',
    facts: [[hostile, hostile]],
    sections,
  });
}

describe('an evidence page', () => {
  it('escapes each text', () => {
    expect(page()).not.toContain('<script');
    expect(page().split(escaped).length - 1).toBeGreaterThanOrEqual(14);
  });

  it('needs no script and no external resource', () => {
    expect(page()).not.toMatch(/\b(?:src|href|url)\s*[=(]|@import/);
    expect(page()).toContain(`content="default-src 'none'; style-src 'unsafe-inline'"`);
  });

  it('states the version and the time', () => {
    expect(page()).toContain('<footer>ehi-gateway 1.2.3, 2026-01-02T03:04:05.000Z</footer>');
  });
});

describe('a chart', () => {
  const heights = (svg: string) =>
    [...svg.matchAll(/<rect [^>]*height="([\d.]+)" fill="var\(--a\)">/g)].map(([, height]) => Number(height));

  it('draws bars in proportion to their values', () => {
    const bars = [0, 25, 100].map((value) => ({ label: `${value}`, value }));
    const [none, quarter, whole] = heights(barChart({ label: 'l', unit: 'ms', bars }));
    expect([none, quarter]).toEqual([0, (whole ?? 0) / 4]);
  });

  it('draws a line over a hundred thousand points', () => {
    const points = Array.from({ length: 100_000 }, (_, index) => [index, index] as const);
    const svg = lineChart({ label: 'l', unit: 'ms', xUnit: 's', series: [{ name: 'p99', points }] });
    expect(svg).toContain('99999 s');
    expect(svg).not.toContain('NaN');
  });

  it('draws without any value', () => {
    const svg = [
      barChart({ label: 'l', unit: 'ms', bars: [] }),
      lineChart({ label: 'l', unit: 'ms', xUnit: 's', series: [] }),
    ];
    expect(svg.join('')).not.toMatch(/NaN|Infinity/);
  });
});
