/** Each folder says what it is: those of `src/` in at most ten lines, those of `test/` that mirror no source in any number. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../', import.meta.url));

function foldersOf(pattern: string): string[] {
  return globSync(pattern, { cwd: root })
    .filter((path) => statSync(join(root, path)).isDirectory())
    .sort();
}

function linesOf(folder: string): number {
  const file = join(root, folder, 'README.md');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n').length : 0;
}

it('a folder of src/ has a README.md of at most ten lines', () => {
  const folders = foldersOf('src/**/*');
  expect(folders.filter((folder) => linesOf(folder) === 0 || linesOf(folder) > 10)).toEqual([]);
});

it('a folder of test/ that mirrors no folder of src/ has a README.md', () => {
  const folders = foldersOf('test/*').filter(
    (folder) => !existsSync(join(root, folder.replace('test', 'src'))),
  );
  expect(folders.filter((folder) => linesOf(folder) === 0)).toEqual([]);
});

it('the index of the documentation links every page of docs/', () => {
  const index = readFileSync(join(root, 'docs/README.md'), 'utf8');
  const pages = globSync('*.md', { cwd: join(root, 'docs') }).filter((page) => page !== 'README.md');
  expect(pages.filter((page) => !index.includes(`](${page}`))).toEqual([]);
});
