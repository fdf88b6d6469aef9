/** The options and help texts of `ehi-gateway trust`. */
import type { Command } from 'commander';
import type { Finish } from './finish.ts';
import type { TrustCommandOptions } from './trust.ts';

const trustCommands = {
  list: 'List every anchor and the certificates that the gateway would use if it started now.',
  diff: 'Show which certificates a new root that waits for approval would add and remove.',
  approve: 'Approve the new root that waits; a running gateway then uses it without a restart.',
  refresh: 'Make a running gateway fetch anchors, CRLs and OCSP answers now.',
  forget: 'Drop the stored CRLs and OCSP answers of an anchor; the gateway fetches them again.',
} as const;

export function addTrust(program: Command, finish: Finish): void {
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
      finish(await run(name as keyof typeof trustCommands, options));
    });
  }
}
