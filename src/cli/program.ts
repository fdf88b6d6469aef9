/** The command line: commands, options and help texts. */
import { Command, CommanderError } from 'commander';
import { exitCodes } from '../errors.ts';
import { version } from '../version.ts';
import type { CheckOptions } from './check.ts';
import type { HealthOptions } from './health.ts';
import type { TrustCommandOptions } from './trust.ts';

const trustCommands = {
  list: 'List every anchor and the certificates that the gateway would use if it started now.',
  diff: 'Show which certificates a new root that waits for approval would add and remove.',
  approve: 'Approve the new root that waits; a running gateway then uses it without a restart.',
  refresh: 'Make a running gateway fetch anchors, CRLs and OCSP answers now.',
  forget: 'Drop the stored CRLs and OCSP answers of an anchor; the gateway fetches them again.',
} as const;

/** Runs the command in `argv` (as process.argv); resolves with the exit code. */
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
  const trust = program
    .command('trust')
    .description('Show the trust anchors, approve a new root, fetch trust and revocation data again.');
  for (const [name, description] of Object.entries(trustCommands)) {
    const command = trust
      .command(name)
      .description(description)
      .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
      .option('--json', 'print JSON', false);
    if (name === 'approve') {
      command
        .requiredOption('--anchor <name>', 'the anchor whose new root is approved')
        .requiredOption(
          '--sha256 <hex>',
          'the SHA-256 of the new root, obtained from its CA by another channel; colons allowed',
        );
    } else if (name === 'forget') {
      command
        .requiredOption('--anchor <name>', 'the anchor whose CRLs and OCSP answers are dropped')
        .option('--address <address>', 'only what came from this URL or path');
    } else if (name !== 'refresh') {
      command.option('--anchor <name>', 'only this anchor');
    }
    command.action(async (options: TrustCommandOptions) => {
      const { trust: run } = await import('./trust.ts');
      code = await run(name as keyof typeof trustCommands, options);
    });
  }
  const certs = program.command('certs').description('Inspect certificates.');
  certs
    .command('pin')
    .description('Print the SPKI pin of each certificate in the form of clients.pins.')
    .argument('<file...>', 'certificate files, PEM or DER; - for stdin')
    .option('--json', 'print JSON', false)
    .action(async (files: string[], options: { json: boolean }) => {
      const { printPins } = await import('./certs-pin.ts');
      code = await printPins(files, options);
    });
  program
    .command('demo')
    .description(
      'Run the gateway on 127.0.0.1 with temporary certificates and an example host. Writes certs/dev in the current folder and replaces an earlier demo there.',
    )
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
