/** Imported first: refuses a Node version older than package.json requires, which would fail later without a reason. */
import { readFileSync } from 'node:fs';
import { exitCodes } from './errors.ts';

/** Why this Node version cannot run the gateway; null: it can. `range`: `>=24.21`, as in package.json. */
export function nodeVersionProblem(version: string, range: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [minMajor = 0, minMinor = 0] = range.replace('>=', '').split('.').map(Number);
  if (major > minMajor || (major === minMajor && minor >= minMinor)) return null;
  return `ehi-gateway needs Node ${range.replace('>=', '')} or newer; this is Node ${version}`;
}

const file = new URL('../package.json', import.meta.url);
const { engines } = JSON.parse(readFileSync(file, 'utf8')) as { engines: { node: string } };
const problem = nodeVersionProblem(process.versions.node, engines.node);
if (problem !== null) {
  process.stderr.write(`${problem}\n`);
  process.exit(exitCodes.configuration);
}
