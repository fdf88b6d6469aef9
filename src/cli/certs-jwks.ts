/** `ehi-gateway certs jwks`: certificates to a JSON Web Key Set, and back to PEM. */
import { exitCodes } from '../errors.ts';
import { type JwkUse, jwksOf } from '../issuing/jwks.ts';
import { type JwksEntry, readJwks } from '../issuing/jwks-reader.ts';
import { toPem } from '../pki/pem.ts';
import { jsonLine } from '../terminal/json.ts';
import { writeOutput } from '../terminal/output-file.ts';
import { printable } from '../terminal/printable.ts';
import { readCertificateFile, readInput } from './certs-files.ts';

export interface JwksOptions {
  readonly use?: JwkUse;
  readonly alg?: string;
  /** Read JWKS files, and print their certificates. */
  readonly pem: boolean;
  /** Write the result to this file instead of stdout. */
  readonly out?: string;
  readonly force: boolean;
  readonly json: boolean;
}

/** Resolves with the exit code; throws UsageError. */
export async function convertJwks(files: readonly string[], options: JwksOptions): Promise<number> {
  const { out, force, json } = options;
  const text = options.pem ? await pemOf(files, json) : await setOf(files, options);
  if (out === undefined) {
    process.stdout.write(text);
    return exitCodes.drained;
  }
  await writeOutput({ file: out, contents: text, force });
  process.stdout.write(json ? jsonLine({ file: out }) : `${printable(out)} is written.\n`);
  return exitCodes.drained;
}

async function setOf(files: readonly string[], { use, alg, json, out }: JwksOptions): Promise<string> {
  const inputs = [];
  for (const file of files) inputs.push({ file, certificates: await readCertificateFile(file) });
  const set = jwksOf(inputs, { use, alg });
  return `${json && out === undefined ? JSON.stringify(set) : JSON.stringify(set, null, 2)}\n`;
}

async function pemOf(files: readonly string[], json: boolean): Promise<string> {
  const entries: JwksEntry[] = [];
  for (const file of files) entries.push(...readJwks(await readInput(file), file));
  if (json) return jsonLine({ certificates: entries.map(documentOf) });
  return entries.map(pemWithHeading).join('');
}

function documentOf({ kid, use, alg, certificates }: JwksEntry) {
  const [{ subject, notAfter }] = certificates;
  return {
    ...{ kid, use, alg, subject },
    not_after: new Date(notAfter).toISOString(),
    pem: certificates.map(({ der }) => toPem(der)).join(''),
  };
}

/** Text before a block is a comment (RFC 7468 §2), unless it begins with dashes. */
function pemWithHeading({ kid, use, certificates }: JwksEntry): string {
  const [{ subject }] = certificates;
  const names = [
    `subject ${subject}`,
    ...(kid === null ? [] : [`kid ${kid}`]),
    ...(use === null ? [] : [`use ${use}`]),
  ];
  return `# ${printable(names.join('; '))}\n${certificates.map(({ der }) => toPem(der)).join('')}`;
}
