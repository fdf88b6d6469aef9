/** `ehi-gateway check`: says everything that is wrong or doubtful in a configuration, and changes nothing. */
import { describeProblem, exitCodes } from '../errors.ts';
import { preflight } from '../preflight.ts';

/**
 * Prints one line per problem, then one per warning, on stderr; nothing when all is well.
 * Answers the exit code: 78 for a problem, with `strict` for a warning too, else 0.
 */
export async function check(options: { readonly config: string; readonly strict: boolean }): Promise<number> {
  const { problems, warnings } = await preflight(options.config);
  for (const problem of problems) process.stderr.write(`${describeProblem(problem)}\n`);
  for (const warning of warnings) process.stderr.write(`${describeProblem(warning)} (warning)\n`);
  const refused = problems.length > 0 || (options.strict && warnings.length > 0);
  return refused ? exitCodes.configuration : 0;
}
