/** `ehi-gateway check`: reports every error and warning of a configuration, and starts nothing. */

import type { LoadedConfig } from '../config/load.ts';
import { checkStart } from '../control/machine-check.ts';
import { preflight } from '../control/preflight.ts';
import { type ConfigProblem, describeProblem, exitCodes } from '../errors.ts';
import { printable } from '../foreign-text.ts';
import { expiryDate } from '../pki/expiry-warning.ts';

export interface CheckOptions {
  readonly config: string;
  /** Exit with 78 on warnings too. */
  readonly strict: boolean;
  /** The configuration is for another machine: skip the checks of addresses, ports and folders. */
  readonly elsewhere: boolean;
}

/**
 * Prints one line per problem, then one line per warning, on stderr; without problems, one line on
 * stdout that says that the configuration is valid, and what it contains.
 * Resolves with the exit code: 78 for a problem, with `strict` also for a warning, else 0. A port in use is a warning that
 * `strict` ignores, because a running gateway uses its own port.
 */
export async function check({ config, strict, elsewhere }: CheckOptions): Promise<number> {
  const { loaded, problems, warnings } = await preflight(config);
  const start = loaded === null || elsewhere ? null : await checkStart(loaded);
  const errors = [...problems, ...(start?.problems ?? []), ...(start?.refusedSockets ?? [])];
  const allWarnings = [...warnings, ...(start?.warnings ?? [])];
  const inUse = start?.socketsInUse ?? [];
  for (const problem of errors) process.stderr.write(`${describeProblem(problem)}\n`);
  for (const warning of [...allWarnings, ...inUse])
    process.stderr.write(`${describeProblem(warning)} (warning)\n`);
  if (loaded === null || errors.length > 0 || (strict && allWarnings.length > 0))
    return exitCodes.configuration;
  process.stdout.write(`${printable(summarize(config, loaded, [...allWarnings, ...inUse]))}\n`);
  return exitCodes.drained;
}

/** `gateway.yaml is valid: 2 routes; anchors a, b; server certificate CN=gateway until 2030-01-31T12:00:00Z; no warnings`. */
function summarize(
  file: string,
  { config, serverCertificates }: LoadedConfig,
  warnings: readonly ConfigProblem[],
): string {
  const { anchors, candidates = [] } = config.trust;
  const names = (list: typeof anchors) => list.map(({ name }) => name).join(', ');
  const certificates = serverCertificates.map(({ chain: [leaf] }) => {
    const until = leaf === undefined ? '' : expiryDate(leaf.notAfter);
    return `server certificate ${leaf?.subject} until ${until}`;
  });
  const facts = [
    counted(config.routes.length, 'route'),
    config.trust.mode === 'registered'
      ? 'no anchors, registered clients'
      : `${anchors.length === 1 ? 'anchor' : 'anchors'} ${names(anchors)}`,
    ...(candidates.length === 0 ? [] : [`candidates ${names(candidates)}`]),
    ...certificates,
    warnings.length === 0 ? 'no warnings' : counted(warnings.length, 'warning'),
  ];
  return `${file} is valid: ${facts.join('; ')}`;
}

function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}
