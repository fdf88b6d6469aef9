/** The options and help text of `ehi-gateway inventory`. */
import { type Command, Option } from 'commander';
import type { Finish } from './finish.ts';
import type { InventoryOptions } from './inventory.ts';

export function addInventory(program: Command, finish: Finish): void {
  program
    .command('inventory')
    .description(
      'List every key and certificate that a configuration trusts or uses, and the protocols and cipher suites offered. Exits with 0, or with 1 if a file cannot be read.',
    )
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .option('--json', 'print JSON', false)
    .addOption(
      new Option('--csv', 'print CSV (RFC 4180), with the cipher suites as rows')
        .default(false)
        .conflicts('json'),
    )
    .option('--url <url>', 'admin port of a running gateway, such as http://127.0.0.1:9090, for the last use')
    .option('--report <file>', 'also write a page of evidence (HTML)')
    .option('--force', 'replace an existing report', false)
    .action(async (options: InventoryOptions) => {
      const { inventory } = await import('./inventory.ts');
      finish(await inventory(options));
    });
}
