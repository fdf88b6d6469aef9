/** The options and help texts of the `ehi-gateway certs` commands that read certificates: `inspect`, `renew-check`. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { InspectOptions } from './certs-inspect.ts';
import type { RenewCheckOptions } from './certs-renew-check.ts';
import type { Finish } from './finish.ts';

export function addInspection(certs: Command, finish: Finish): void {
  addInspect(certs, finish);
  addRenewCheck(certs, finish);
}

function addInspect(certs: Command, finish: Finish): void {
  certs
    .command('inspect')
    .description(
      'Show every certificate, key, CRL, request and OCSP response in files or at URLs, and what the gateway would object to. Exits with 0, with 1 if it objects to something, with 64 if something cannot be read.',
    )
    .argument(
      '[source...]',
      'files (PEM, DER, PKCS#7, PKCS#12, CRL, CSR, OCSP response, JWKS); https://HOST[:PORT] for the chain that a server sends; the URL of a file; - for stdin',
      ['-'],
    )
    .addOption(
      new Option('--as <role>', 'judge certificates in this role instead of by their contents').choices([
        'client',
        'server',
        'ca',
      ]),
    )
    .option(
      '-c, --config <file>',
      'judge client certificates by the anchors, pins and match of this configuration',
    )
    .option(
      '--password-file <file>',
      'file whose first line is the password of PKCS#12 files; absent: it is asked for',
    )
    .option('--json', 'print JSON', false)
    .action(async (sources: string[], options: InspectOptions) => {
      const { inspectSources } = await import('./certs-inspect.ts');
      finish(await inspectSources(sources, options));
    });
}

function addRenewCheck(certs: Command, finish: Finish): void {
  certs
    .command('renew-check')
    .description(
      'List what must be renewed by when: server certificates, anchors, CAs and client certificates of hosts, CRLs. Exits with 0, or with 1 if something is due.',
    )
    .requiredOption('-c, --config <file>', 'the configuration file (YAML)')
    .option('--days <number>', 'what ends within so many days is due', parseDays, 30)
    .option('--json', 'print JSON', false)
    .action(async (options: RenewCheckOptions) => {
      const { renewCheck } = await import('./certs-renew-check.ts');
      finish(await renewCheck(options));
    });
}

function parseDays(text: string): number {
  if (!/^\d{1,5}$/.test(text))
    throw new InvalidArgumentError(`found ${text}; allowed a whole number of days from 0 to 99999.`);
  return Number(text);
}
