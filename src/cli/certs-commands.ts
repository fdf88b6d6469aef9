/** The options and help texts of `ehi-gateway certs`. */
import type { Command } from 'commander';
import { addInspection } from './certs-inspection-commands.ts';
import { addIssuing } from './certs-issuing-commands.ts';
import type { Finish } from './finish.ts';

export function addCerts(program: Command, finish: Finish): void {
  const certs = program.command('certs').description('Inspect, make and convert certificates.');
  addPin(certs, finish);
  addInspection(certs, finish);
  addIssuing(certs, finish);
}

function addPin(certs: Command, finish: Finish): void {
  certs
    .command('pin')
    .description('Print the SPKI pin of each certificate in the form of clients.pins.')
    .argument('<file...>', 'certificate files, PEM or DER; - for stdin')
    .option('--json', 'print JSON', false)
    .action(async (files: string[], options: { json: boolean }) => {
      const { printPins } = await import('./certs-pin.ts');
      finish(await printPins(files, options));
    });
}
