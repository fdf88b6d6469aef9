/** The options and help texts of the `ehi-gateway certs` commands that write files. */
import { type Command, Option } from 'commander';
import type { RequestKey, RequestType } from '../issuing/certificate-request.ts';
import type { AuditKeyOptions } from './certs-audit-key.ts';
import type { CsrOptions } from './certs-csr.ts';
import type { DevOptions } from './certs-dev.ts';
import type { JwksOptions } from './certs-jwks.ts';
import type { ExportOptions } from './certs-p12-export.ts';
import type { ImportOptions } from './certs-p12-import.ts';
import type { Finish } from './finish.ts';

const types: readonly RequestType[] = ['transport', 'signing', 'encryption', 'server'];
const keys: readonly RequestKey[] = ['rsa:2048', 'rsa:3072', 'rsa:4096', 'ec:P-256', 'ec:P-384'];

const force = ['--force', 'replace existing files', false] as const;
const json = ['--json', 'print one JSON document on stdout', false] as const;
const passphrase = [
  '--passphrase',
  'ask for a passphrase on the terminal, and encrypt the key with it',
  false,
] as const;
const passphraseFile = [
  '--passphrase-file <file>',
  'encrypt the key with the first line of this file as the passphrase',
] as const;
const passwordFile = [
  '--password-file <file>',
  'the first line of this file is the password; default: asked for on the terminal',
] as const;

export function addIssuing(certs: Command, finish: Finish): void {
  addCsr(certs, finish);
  const p12 = certs.command('p12').description('Convert between PEM and PKCS#12 (.p12, .pfx).');
  addExport(p12, finish);
  addImport(p12, finish);
  addJwks(certs, finish);
  addDev(certs, finish);
  addAuditKey(certs, finish);
}

function addCsr(certs: Command, finish: Finish): void {
  certs
    .command('csr')
    .description(
      'Make a private key and a certificate request, for the portal of Thredd or Raidiam Connect or for a public CA: NAME.key and NAME.csr.',
    )
    .requiredOption(
      '--subject <subject>',
      "whom the certificate names, as the portal shows it: '/C=GB/O=Example Limited/OU=…/CN=…'; \\/ for a slash in a value",
    )
    .requiredOption('--out <name>', 'the name of the files, without .csr and .key; may have a folder')
    .addOption(
      new Option(
        '--type <type>',
        'what the certificate is for: TLS client (transport), signatures, encryption of messages, or the TLS server',
      )
        .choices(types)
        .default('transport'),
    )
    .option(
      '--dns <name...>',
      'for --type server: the host names and IP addresses of the server; default: the CN of the subject',
    )
    .addOption(new Option('--key <kind>', 'the kind of key').choices(keys).default('rsa:2048'))
    .option(...passphrase)
    .option(...passphraseFile)
    .option('--no-extensions', 'ask for no key usages: the CA chooses them, as with a plain openssl req')
    .option(...force)
    .option(...json)
    .action(async (options: CsrOptions) => {
      const { makeRequest } = await import('./certs-csr.ts');
      finish(await makeRequest(options));
    });
}

function addExport(p12: Command, finish: Finish): void {
  p12
    .command('export')
    .description(
      'Write a certificate, its issuers and its private key to a PKCS#12 file, for Windows, Java and others.',
    )
    .requiredOption('--cert <file>', 'the certificate, PEM or DER; its issuers may follow in the same file')
    .requiredOption('--key <file>', 'its private key')
    .option(
      '--key-passphrase-file <file>',
      'the passphrase of the private key; default: asked for if it is needed',
    )
    .option('--chain <file>', 'its issuers, PEM')
    .requiredOption('--out <file>', 'the PKCS#12 file')
    .option('--name <name>', 'the name that Windows shows for the certificate, and the alias in Java')
    .option(
      '--legacy',
      'encrypt with 3DES and SHA-1, for Windows before Server 2019 and Java before 8u301',
      false,
    )
    .option(...passwordFile)
    .option(...force)
    .option(...json)
    .action(async (options: ExportOptions) => {
      const { exportPkcs12 } = await import('./certs-p12-export.ts');
      finish(await exportPkcs12(options));
    });
}

function addImport(p12: Command, finish: Finish): void {
  p12
    .command('import')
    .description(
      'Read a PKCS#12 file and write PEM: NAME.pem (certificate and issuers), NAME.key, and NAME-ca.pem if it has a root or other certificates.',
    )
    .argument('<file>', 'the PKCS#12 file (.p12, .pfx)')
    .requiredOption('--out <name>', 'the name of the files, without .pem and .key; may have a folder')
    .option('--name <name>', 'the private key to take, by its alias, if there are several')
    .option(...passwordFile)
    .option(...passphrase)
    .option(...passphraseFile)
    .option(...force)
    .option(...json)
    .action(async (file: string, options: ImportOptions) => {
      const { importPkcs12 } = await import('./certs-p12-import.ts');
      finish(await importPkcs12(file, options));
    });
}

function addJwks(certs: Command, finish: Finish): void {
  certs
    .command('jwks')
    .description(
      'Print certificates as a JSON Web Key Set, for the registration of a client or of signing keys; with --pem, the reverse.',
    )
    .argument('<file...>', 'certificates, PEM or DER, with --pem JSON Web Key Sets; - for stdin')
    .addOption(
      new Option(
        '--use <use>',
        'what the keys are for; default: by the key usage of each certificate',
      ).choices(['sig', 'enc']),
    )
    .option(
      '--alg <alg>',
      'the algorithm of RFC 7518; default: RS256, ES256, ES384 or ES512; for enc RSA-OAEP-256 or ECDH-ES',
    )
    .option('--pem', 'read JSON Web Key Sets and print their certificates as PEM', false)
    .option('--out <file>', 'write to this file; default: stdout')
    .option(...force)
    .option(
      '--json',
      'print one JSON document on stdout, on one line; with --pem the certificates in JSON',
      false,
    )
    .action(async (files: string[], options: JwksOptions) => {
      const { convertJwks } = await import('./certs-jwks.ts');
      finish(await convertJwks(files, options));
    });
}

function addDev(certs: Command, finish: Finish): void {
  certs
    .command('dev')
    .description(
      'Make throwaway certificates for tests: a root, an issuing CA, a server, a client, CRLs, and a configuration that uses them.',
    )
    .requiredOption('--out <folder>', 'the folder for the files; made if it is missing')
    .option(...force)
    .option(...json)
    .action(async (options: DevOptions) => {
      const { makeDevelopmentCertificates } = await import('./certs-dev.ts');
      finish(await makeDevelopmentCertificates(options));
    });
}

function addAuditKey(certs: Command, finish: Finish): void {
  certs
    .command('audit-key')
    .description(
      'Make the Ed25519 key that signs the seals of the audit, and its public key: NAME.key and NAME.pub.',
    )
    .requiredOption('--out <name>', 'the name of the files, without .key and .pub; may have a folder')
    .option(...force)
    .option(...json)
    .action(async (options: AuditKeyOptions) => {
      const { makeAuditKey } = await import('./certs-audit-key.ts');
      finish(await makeAuditKey(options));
    });
}
