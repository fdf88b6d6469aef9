/**
 * `npm run --silent sbom`: prints the CycloneDX list of the production packages.
 *
 * `npm sbom --omit dev` omits production packages that a development package uses too (yaml, for one). So it is run in a
 * folder that has the production packages only.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Manifest {
  devDependencies?: unknown;
  optionalDependencies?: unknown;
}

interface Lock {
  packages: Record<string, Manifest & { dev?: true; optional?: true; devOptional?: true }>;
}

const read = <T>(name: string) =>
  JSON.parse(readFileSync(new URL(`../${name}`, import.meta.url), 'utf8')) as T;
const manifest = read<Manifest & { name: string }>('package.json');
const lock = read<Lock>('package-lock.json');
for (const each of [manifest, lock.packages['']]) {
  delete each?.devDependencies;
  delete each?.optionalDependencies;
}
for (const [path, { dev, optional, devOptional }] of Object.entries(lock.packages)) {
  if (dev || optional || devOptional) delete lock.packages[path];
}

const parent = mkdtempSync(join(tmpdir(), 'ehi-sbom-'));
// npm names the product after its folder.
const folder = join(parent, manifest.name);
try {
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(lock));
  copyFileSync(new URL('../.npmrc', import.meta.url), join(folder, '.npmrc'));
  npm('ci', '--silent', '--ignore-scripts', '--prefer-offline');
  process.stdout.write(npm('sbom', '--sbom-format', 'cyclonedx', '--sbom-type', 'application'));
} finally {
  rmSync(parent, { recursive: true });
}

function npm(...argv: string[]): string {
  const { status, stdout, stderr } = spawnSync('npm', argv, { cwd: folder, encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm ${argv.join(' ')}: ${stderr}`);
  return stdout;
}
