/** The command line: what can be asked for, and in which words. */
import { Command, CommanderError } from 'commander';
import { exitCodes } from '../errors.ts';
import { version } from '../version.ts';
import type { CheckOptions } from './check.ts';
import type { HealthOptions } from './health.ts';
import type { TrustCommandOptions } from './trust.ts';

const trustCommands = {
  list: 'List every anchor and its certificates, as a start of the gateway would take them.',
  diff: 'Show what another root, that waits for approval, would change.',
  approve: 'Approve the root that waits; a running gateway takes it by itself.',
  refresh: 'Have a running gateway fetch anchors, CRLs and OCSP answers now.',
  forget: 'Have the CRLs and OCSP answers dropped that are kept for an anchor, and fetched anew.',
} as const;

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
    .requiredOption('-c, --config <file>', 'the configuration, YAML')
    .action(async (options: { config: string }) => {
      const { run } = await import('./run.ts');
      code = await run(options);
    });
  program
    .command('check')
    .description(
      'Validate a configuration and exit: reports every error and every warning that a start on this machine would have.',
    )
    .requiredOption('-c, --config <file>', 'the configuration, YAML')
    .option('--strict', 'fail on warnings too', false)
    .option('--elsewhere', 'do not try the addresses, ports and folders of this machine', false)
    .action(async (options: CheckOptions) => {
      const { check } = await import('./check.ts');
      code = await check(options);
    });
  program
    .command('health')
    .description('Ask a running gateway whether it lives: exit 0, or 1 and why not.')
    .option('-c, --config <file>', 'its configuration, which names the admin port')
    .option('--url <url>', 'the admin port, such as http://127.0.0.1:9090')
    .option('--ready', 'ask whether it takes messages', false)
    .action(async (options: HealthOptions) => {
      const { health } = await import('./health.ts');
      code = await health(options);
    });
  const trust = program
    .command('trust')
    .description(
      'See which trust anchors are kept in the cache, approve another root, have everything fetched anew.',
    );
  for (const [name, description] of Object.entries(trustCommands)) {
    const command = trust
      .command(name)
      .description(description)
      .requiredOption('-c, --config <file>', 'the configuration, YAML')
      .option('--json', 'print for machines', false);
    if (name === 'approve') {
      command
        .requiredOption('--anchor <name>', 'the anchor whose new root is approved')
        .requiredOption('--sha256 <hex>', 'the new root’s SHA-256, as its CA tells it; colons allowed');
    } else if (name === 'forget') {
      command
        .requiredOption('--anchor <name>', 'the anchor whose CRLs and OCSP answers are dropped')
        .option('--address <address>', 'this URL or path only');
    } else if (name !== 'refresh') {
      command.option('--anchor <name>', 'this anchor only');
    }
    command.action(async (options: TrustCommandOptions) => {
      const { trust: run } = await import('./trust.ts');
      code = await run(name as keyof typeof trustCommands, options);
    });
  }
  const certs = program.command('certs').description('Look at certificates.');
  certs
    .command('pin')
    .description('Print the pin of each certificate, as clients.pins takes it.')
    .argument('<file...>', 'certificates, PEM or DER; - reads one from stdin')
    .option('--json', 'print for machines', false)
    .action(async (files: string[], options: { json: boolean }) => {
      const { printPins } = await import('./certs-pin.ts');
      code = await printPins(files, options);
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
