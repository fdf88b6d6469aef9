/** What must not be in an image: a shell, anything else that could be run, what only the build needed. */
import assert from 'node:assert/strict';
import { globSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

const app = 'opt/ehi-gateway';
const setId = 0o6000;

/** `root`: where its files are mounted. */
export function checkContents(root: string): void {
  const files = globSync('**/*', { cwd: root }).map((path) => ({ path, stat: statSync(join(root, path)) }));
  const regular = files.filter(({ stat }) => stat.isFile());
  // Beside libraries. What JavaScript can be run lies below the gateway's own folder, and needs Node to be run.
  const programs = regular.filter(
    ({ path, stat }) => (stat.mode & 0o111) !== 0 && !path.startsWith(`${app}/`) && !/\.so\b/.test(path),
  );
  assert.deepEqual(
    programs.map(({ path }) => path),
    ['usr/local/bin/node'],
  );
  assert.deepEqual(
    regular.filter(({ stat }) => (stat.mode & setId) !== 0),
    [],
  );

  const writable = files.filter(({ stat }) => stat.uid !== 0 || (stat.mode & 0o022) !== 0);
  assert.deepEqual(writable.map(({ path }) => path).sort(), ['tmp', 'var/cache/ehi-gateway']);

  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
    packages: Record<string, { dev?: true; optional?: true; devOptional?: true }>;
  };
  const wanted = Object.entries(packages)
    .filter(([path, { dev, optional, devOptional }]) => path !== '' && !dev && !optional && !devOptional)
    .map(([path]) => path);
  const manifests = globSync('node_modules/**/package.json', { cwd: join(root, app) });
  const installed = manifests
    .map((path) => path.slice(0, -'/package.json'.length))
    .filter((path) => /(^|\/)node_modules\/(@[^/]+\/)?[^/]+$/.test(path));
  assert.deepEqual(installed.sort(), wanted.sort());
  assert.deepEqual(
    globSync('**/{.npmrc,*.ts.map,*.key}', { cwd: join(root, app), exclude: ['node_modules/**'] }),
    [],
  );
}
