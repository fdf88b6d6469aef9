/** One self-contained HTML page: what was tried, when, by which version, and every fact. */
import { escapeHtml } from './escape.ts';

export interface EvidencePage {
  readonly title: string;
  /** What the page is about: an endpoint or a configuration. */
  readonly subtitle: string;
  readonly at: Date;
  /** Of ehi-gateway. */
  readonly version: string;
  /** The summary: label and value. */
  readonly facts: readonly (readonly [label: string, value: string])[];
  readonly sections: readonly Section[];
}

export interface CheckRow {
  readonly outcome: 'pass' | 'fail' | 'warn' | 'unknown';
  readonly name: string;
  readonly fact: string;
  /** What to do. */
  readonly hint?: string;
}

export type Section =
  | { readonly kind: 'checks'; readonly heading: string; readonly checks: readonly CheckRow[] }
  | {
      readonly kind: 'table';
      readonly heading: string;
      readonly columns: readonly string[];
      readonly rows: readonly (readonly string[])[];
    }
  /** Shown in a block of fixed width. */
  | { readonly kind: 'text'; readonly heading: string; readonly text: string }
  /** `svg`: made by chart.ts, the only text that is not escaped here. */
  | { readonly kind: 'chart'; readonly heading: string; readonly svg: string };

const outcomes = {
  pass: ['✔', 'passed'],
  fail: ['✘', 'failed'],
  warn: ['!', 'warning'],
  unknown: ['?', 'not possible here'],
} as const;

const style = `
:root { color-scheme: light dark; --text: #1b1f24; --dim: #57606a; --page: #fff; --line: #d0d7de; --band: #f6f8fa;
  --pass: #1a7f37; --fail: #b3261e; --warn: #8a5a00; --unknown: #0a5ea8; --a: #0a5ea8; --b: #8250df; --c: #1a7f37; --d: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --dim: #9aa4ae; --page: #0d1117; --line: #30363d; --band: #161b22;
  --pass: #56d364; --fail: #ff7b72; --warn: #e3b341; --unknown: #79c0ff; --a: #79c0ff; --b: #d2a8ff; --c: #56d364; --d: #ff7b72; } }
@media print { :root { --text: #000; --dim: #444; --page: #fff; --line: #999; --band: #fff; --pass: #0a5a20; --fail: #8a1c15;
  --warn: #6b4600; --unknown: #074980; --a: #074980; --b: #5a32a3; --c: #0a5a20; --d: #8a1c15; }
  section, tr { break-inside: avoid; } }
body { margin: 2rem auto; max-width: 68rem; padding: 0 1rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.subtitle { color: var(--dim); margin: .2rem 0 1.2rem; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; } .scroll th { overflow-wrap: normal; } .scroll td { min-width: 4.5rem; }
table { border-collapse: collapse; width: 100%; } th, td { text-align: left; vertical-align: top; padding: .35rem .6rem;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere; } th { color: var(--dim); font-weight: 600; }
thead th { background: var(--band); } .facts th { width: 14rem; }
.mark { width: 1.5rem; font-weight: 700; } .hint { color: var(--dim); }
.pass { color: var(--pass); } .fail { color: var(--fail); } .warn { color: var(--warn); } .unknown { color: var(--unknown); }
pre { background: var(--band); border: 1px solid var(--line); padding: .8rem; overflow-x: auto; font: 13px/1.45 ui-monospace, monospace; }
svg { width: 100%; height: auto; } svg text { fill: var(--dim); font: 11px system-ui, sans-serif; }
footer { color: var(--dim); margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .6rem; font-size: .85rem; }`;

/** The page as HTML5. It needs nothing else: no script, no font, no image. */
export function evidencePage({ title, subtitle, at, version, facts, sections }: EvidencePage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(`${title}: ${subtitle}`)}</title>
<style>${style}</style>
</head>
<body>
<h1>${escapeHtml(title)}</h1>
<p class="subtitle">${escapeHtml(subtitle)}</p>
<table class="facts"><tbody>
${facts.map(([label, value]) => `<tr><th scope="row">${escapeHtml(label)}</th><td>${escapeHtml(value)}</td></tr>`).join('\n')}
</tbody></table>
${sections.map(sectionHtml).join('\n')}
<footer>ehi-gateway ${escapeHtml(version)}, ${at.toISOString()}</footer>
</body>
</html>
`;
}

function sectionHtml(section: Section): string {
  return `<section>\n<h2>${escapeHtml(section.heading)}</h2>\n${contentHtml(section)}\n</section>`;
}

function contentHtml(section: Section): string {
  switch (section.kind) {
    case 'checks':
      return `<table><tbody>\n${section.checks.map(checkHtml).join('\n')}\n</tbody></table>`;
    case 'table':
      return tableHtml(section.columns, section.rows);
    case 'text':
      return `<pre>${escapeHtml(section.text)}</pre>`;
    case 'chart':
      return section.svg;
    default:
      return section satisfies never;
  }
}

function checkHtml({ outcome, name, fact, hint }: CheckRow): string {
  const [mark, spoken] = outcomes[outcome];
  const advice = hint === undefined ? '' : `<br><span class="hint">${escapeHtml(hint)}</span>`;
  return `<tr><td class="mark ${outcome}" title="${spoken}">${mark}</td><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(fact)}${advice}</td></tr>`;
}

function tableHtml(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = columns.map((column) => `<th scope="col">${escapeHtml(column)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${escapeHtml(cell)}</td>`).join('')}</tr>`);
  return `<div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table></div>`;
}
