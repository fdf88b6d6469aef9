/** Imported first: an older Node than package.json demands would fail somewhere else, and not say why. */
import { readFileSync } from 'node:fs';
import { exitCodes } from './errors.ts';

/** Why this Node cannot run the gateway; null: it can. `range`: `>=24.21`, as in package.json. */
export function objectionToNode(version: string, range: string): string | null {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [leastMajor = 0, leastMinor = 0] = range.replace('>=', '').split('.').map(Number);
  if (major > leastMajor || (major === leastMajor && minor >= leastMinor)) return null;
  return `ehi-gateway needs Node ${range.replace('>=', '')} or newer; this is Node ${version}`;
}

const file = new URL('../package.json', import.meta.url);
const { engines } = JSON.parse(readFileSync(file, 'utf8')) as { engines: { node: string } };
const objection = objectionToNode(process.versions.node, engines.node);
if (objection !== null) {
  process.stderr.write(`${objection}\n`);
  process.exit(exitCodes.configuration);
}
