/** The command line: commands, options and help texts. */

import { setImmediate } from 'node:timers/promises';
import { Command, CommanderError } from 'commander';
import { ConfigError, describeProblem, exitCodes, GatewayError } from '../errors.ts';
import { printableLines } from '../foreign-text.ts';
import { version } from '../version.ts';
import { addAudit } from './audit-commands.ts';
import { addCerts } from './certs-commands.ts';
import type { CheckOptions } from './check.ts';
import { endWhenOutputIsLost } from './closed-stdout.ts';
import { addDoctor } from './doctor-command.ts';
import type { Finish } from './finish.ts';
import type { HealthOptions } from './health.ts';
import { addInventory } from './inventory-command.ts';
import { addSimulate } from './simulate-command.ts';
import { addTrust } from './trust-commands.ts';

/** Commands that serve further, and have listeners of their own for errors of stdout and stderr (run.ts). */
const runsWithoutReader: ReadonlySet<string> = new Set(['run', 'demo']);

/** Runs the command in `argv` (as process.argv); resolves with the exit code. */
export async function execute(argv: readonly string[]): Promise<number> {
  let code: number = exitCodes.drained;
  const finish: Finish = (exitCode) => {
    code = exitCode;
  };
  const ignoreLostOutput = endWhenOutputIsLost();
  const program = new Command('ehi-gateway')
    .description('A mutual-TLS termination gateway for card-processing endpoints.')
    .version(version, '--version')
    .exitOverride()
    .hook('preAction', (_program, command) => {
      if (runsWithoutReader.has(command.name())) ignoreLostOutput();
    })
    .showHelpAfterError('Try ehi-gateway --help.');
  program
    .command('run')
    .description('Run the gateway until SIGTERM or SIGINT, then drain.')
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .action(async (options: { config: string }) => {
      const { run } = await import('./run.ts');
      code = await run(options);
    });
  program
    .command('check')
    .description(
      'Validate a configuration and exit; reports every error and warning of a start on this machine.',
    )
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .option('--strict', 'exit with 78 on warnings too', false)
    .option('--elsewhere', 'skip the checks of this machine: addresses, ports, folders', false)
    .action(async (options: CheckOptions) => {
      const { check } = await import('./check.ts');
      code = await check(options);
    });
  program
    .command('health')
    .description('Check that a running gateway responds; exits with 0, or with 1 and the reason.')
    .option('-c, --config <file>', 'the configuration file, which contains the admin port')
    .option('--url <url>', 'the URL of the admin port, such as http://127.0.0.1:9090')
    .option('--ready', 'check that it is ready to relay messages', false)
    .action(async (options: HealthOptions) => {
      const { health } = await import('./health.ts');
      code = await health(options);
    });
  addTrust(program, finish);
  addCerts(program, finish);
  addAudit(program, finish);
  addInventory(program, finish);
  addDoctor(program, finish);
  addSimulate(program, finish);
  program
    .command('demo')
    .description(
      'Run the gateway on 127.0.0.1 with temporary certificates and an example host. Writes certs/dev in the current folder and replaces an earlier demo there.',
    )
    .option(
      '--verbose',
      'print the audit records and the log here, instead of into certs/dev/audit.log',
      false,
    )
    .action(async (options: { verbose: boolean }) => {
      const { demo } = await import('./demo.ts');
      code = await demo(options);
    });
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exitCodes.usage;
    return report(error);
  } finally {
    // What the command wrote last is reported as lost only in the next turn.
    await setImmediate();
  }
  return code;
}

/** Prints the errors that a command throws on purpose, without a stack; resolves to the exit code. */
function report(error: unknown): number {
  if (!(error instanceof GatewayError)) throw error;
  const problems = error instanceof ConfigError ? error.problems.map(describeProblem) : [error.message];
  for (const problem of problems) process.stderr.write(`${printableLines(problem)}\n`);
  if (error.code === 'CONFIG') return exitCodes.configuration;
  if (error.code === 'USAGE') return exitCodes.usage;
  return error.code === 'UNREACHABLE' ? exitCodes.unreachable : exitCodes.fault;
}
