/** docs/alerts.md has one complete section for each alert, at the anchor that its runbook_url names. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { plainRules } from '../../config/plain-rules.ts';

const page = readFileSync(new URL('../../docs/alerts.md', import.meta.url), 'utf8');
const sections = new Map(
  page
    .split(/^## /m)
    .slice(1)
    .map((section) => [section.slice(0, section.indexOf('\n')), section]),
);
const alerts: { alert: string; annotations: Record<string, string> }[] = parse(plainRules()).groups[0].rules;

test('has a section for each alert, in their order, and no other', () => {
  expect([...sections.keys()]).toEqual(alerts.map(({ alert }) => alert));
});

test('is what each runbook_url points to', () => {
  const anchors = [...sections.keys()].map((heading) => `docs/alerts.md#${heading.toLowerCase()}`);
  expect(alerts.map(({ annotations }) => annotations.runbook_url)).toEqual(anchors);
});

test.each([...sections])(
  'says of %s what it means, how urgent it is, what to look at and do, and when it ends',
  (_, section) => {
    const parts = [...section.matchAll(/^\*\*(\w+):?\*\*/gm)].map(([, part]) => part);
    expect(parts).toEqual(['Meaning', 'Urgency', 'Look', 'Do', 'Ends']);
  },
);
