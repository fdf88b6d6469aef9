/** The files that the `certs` commands read; every error names the file, never its content. */

import type { KeyObject } from 'node:crypto';
import { GatewayError, UsageError } from '../errors.ts';
import { type PrivateKeyFault, readPrivateKey } from '../issuing/private-key-file.ts';
import type { Certificate } from '../pki/certificate.ts';
import { readCertificates } from '../pki/pem.ts';
import { readLimited } from '../terminal/limited-input.ts';
import { printable } from '../terminal/printable.ts';
import { readSecret } from '../terminal/secret.ts';

/** Bytes; certificates, keys and key stores are much smaller. */
const maxFile = 16 * 2 ** 20;

/** `-`: standard input. Throws UsageError. */
export async function readInput(file: string): Promise<Buffer> {
  let bytes: Buffer | null;
  try {
    bytes = await readLimited(file === '-' ? process.stdin : file, maxFile);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unknown';
    throw new UsageError(`${printable(file)}: cannot be read (${code})`, cause);
  }
  if (bytes === null)
    throw new UsageError(`${printable(file)}: found more than ${maxFile} bytes; allowed at most ${maxFile}`);
  return bytes;
}

/** All certificates of a file, at least one. Throws UsageError. */
export async function readCertificateFile(file: string): Promise<readonly [Certificate, ...Certificate[]]> {
  const bytes = await readInput(file);
  try {
    return readCertificates(bytes) as [Certificate, ...Certificate[]];
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    throw new UsageError(`${printable(file)}: ${error.message}`, error);
  }
}

const faults: Readonly<Record<PrivateKeyFault, string>> = {
  'passphrase needed': 'is encrypted',
  'wrong passphrase': 'cannot be decrypted: the passphrase is wrong, or the file is damaged',
  'no private key': 'found no private key; allowed one in PEM (PKCS#8, PKCS#1, SEC 1) or in DER (PKCS#8)',
};

/** Asks for the passphrase if the key is encrypted and no file is given. Throws UsageError. */
export async function readKeyFile(
  file: string,
  { passphraseFile, option }: { readonly passphraseFile?: string | undefined; readonly option: string },
): Promise<KeyObject> {
  const bytes = await readInput(file);
  const ask = { name: `passphrase of ${printable(file)}`, option };
  let key = readPrivateKey(bytes, null);
  if (key === 'passphrase needed')
    key = readPrivateKey(
      bytes,
      await readSecret({ ...ask, ...(passphraseFile === undefined ? {} : { file: passphraseFile }) }),
    );
  bytes.fill(0);
  if (typeof key === 'string') throw new UsageError(`${printable(file)}: ${faults[key]}`);
  return key;
}

export interface PassphraseOptions {
  /** Ask for one on the terminal. */
  readonly passphrase?: boolean;
  readonly passphraseFile?: string;
}

/** The passphrase of a new key file; null: none is wanted. Throws UsageError. */
export async function readNewPassphrase(
  { passphrase = false, passphraseFile }: PassphraseOptions,
  file: string,
): Promise<string | null> {
  if (!passphrase && passphraseFile === undefined) return null;
  return readSecret({
    name: `passphrase for ${printable(file)}`,
    option: '--passphrase-file',
    confirm: true,
    ...(passphraseFile === undefined ? {} : { file: passphraseFile }),
  });
}
