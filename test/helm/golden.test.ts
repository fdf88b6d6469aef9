import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { chart, command, renderText } from './support/chart.ts';

it('renders the same objects as before with the minimal values', async () => {
  // The secret is random.
  const text = renderText('default').replace(/^ {2}secret: .*$/m, '  secret: (random)');
  // `npx vitest run --config test/helm/vitest.config.ts -u golden` writes it again.
  await expect(text).toMatchFileSnapshot('golden/default.yaml');
});

it('has the README that helm-docs generates from the values and README.md.gotmpl', async () => {
  const readme = await readFile(`${chart}README.md`, 'utf8');
  // --dry-run prints the page.
  const { stdout } = command('helm-docs', [
    '--chart-search-root',
    chart,
    '--dry-run',
    '--log-level',
    'warning',
  ]);
  expect(readme.trim()).toBe(stdout.trim());
});
