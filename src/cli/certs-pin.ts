/** `ehi-gateway certs pin`: prints the SPKI pin of each certificate in the form of `clients.pins`. */
import { exitCodes, UsageError } from '../errors.ts';
import type { Certificate } from '../pki/certificate.ts';
import { jsonLine } from '../terminal/json.ts';
import { printable } from '../terminal/printable.ts';
import { readCertificateFile } from './certs-files.ts';

/**
 * Prints one line per certificate on stdout, and one line per unreadable file on stderr. Resolves with the exit code: 64
 * if a file cannot be read.
 */
export async function printPins(
  files: readonly string[],
  { json }: { readonly json: boolean },
): Promise<number> {
  const found: { readonly file: string; readonly certificate: Certificate }[] = [];
  let failed = false;
  for (const file of files) {
    try {
      found.push(...(await readCertificateFile(file)).map((certificate) => ({ file, certificate })));
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      failed = true;
      process.stderr.write(`${printable(error.message)}\n`);
    }
  }
  const text = json
    ? jsonLine({ certificates: found.map(factsOf) })
    : found.map(({ certificate }) => `${lineOf(certificate)}\n`).join('');
  process.stdout.write(text);
  return failed ? exitCodes.usage : exitCodes.drained;
}

function pinOf({ spkiPin }: Certificate): string {
  return `sha256/${spkiPin}`;
}

/** The pin, then a YAML comment, so that a line can be copied into `clients.pins` unchanged. */
function lineOf(certificate: Certificate): string {
  const { subject, isCa } = certificate;
  const caution = isCa ? ' (a CA: its key is on the path of every client that it issues)' : '';
  return `${pinOf(certificate)}  # ${printable(subject)}${caution}`;
}

/** Field names as in the audit records. */
function factsOf({ file, certificate }: { readonly file: string; readonly certificate: Certificate }) {
  const { subject, serial, notAfter, isCa } = certificate;
  const date = new Date(notAfter).toISOString();
  return { file, subject, serial, not_after: date, ca: isCa, pin: pinOf(certificate) };
}
