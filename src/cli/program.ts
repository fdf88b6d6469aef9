/** The command line: what can be asked for, and in which words. */
import { Command, CommanderError } from 'commander';
import { exitCodes } from '../errors.ts';
import { version } from '../version.ts';

/** Runs the command that `argv` (as process.argv) names; the exit code. */
export async function execute(argv: readonly string[]): Promise<number> {
  let code: number = exitCodes.drained;
  const program = new Command('ehi-gateway')
    .description('A mutual-TLS termination gateway for card-processing endpoints.')
    .version(version, '--version')
    .exitOverride()
    .showHelpAfterError('Try ehi-gateway --help.');
  program
    .command('run')
    .description('Run the gateway until SIGTERM or SIGINT, then drain.')
    .requiredOption('--config <file>', 'the configuration, YAML')
    .action(async (options: { config: string }) => {
      const { run } = await import('./run.ts');
      code = await run(options);
    });
  program
    .command('check')
    .description('Say everything that is wrong or doubtful in a configuration; start nothing.')
    .requiredOption('--config <file>', 'the configuration, YAML')
    .option('--strict', 'fail on warnings too', false)
    .action(async (options: { config: string; strict: boolean }) => {
      const { check } = await import('./check.ts');
      code = await check(options);
    });
  program
    .command('demo')
    .description('Run the gateway on 127.0.0.1 with a throwaway PKI and an example host.')
    .action(async () => {
      const { demo } = await import('./demo.ts');
      code = await demo();
    });
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    return error.exitCode === 0 ? 0 : exitCodes.usage;
  }
  return code;
}
